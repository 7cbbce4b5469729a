# The store and the outside folder that every case begins with.
mkdir -p template/web template/sub template-outside/folder
echo "$ALICE" >template/.gpg-id
echo "$BOB" >template/sub/.gpg-id
echo good | enc alice >template/good.gpg
echo site | enc alice >template/web/site.gpg
echo deep | enc bob >template/sub/deep.gpg
git -C template init -q --template=
git -C template add -A
git -C template commit -q -m "Add current contents of password store."
mkdir -p template-outside/repository
git -C template-outside/repository init -q --template=
git -C template-outside/repository commit -q --allow-empty -m "Outside."
echo outside | enc alice >template-outside/secret.gpg
echo outside | enc alice >template-outside/folder/entry.gpg
echo "$BOB" >template-outside/gpg-id
echo "$BOB" >template-outside/folder/.gpg-id
echo new >input
printf '#!/bin/sh\necho changed >"$1"\n' >bin/changing-editor
chmod +x bin/changing-editor
