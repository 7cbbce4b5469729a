# Completion of pass for fish. Generated: change tests/generated/fish.in, then `make generated`.

# Whether the command is yet to be typed.
function __pass_needs_command
    test (count (commandline -opc)) -eq 1
end

# Whether the command is one of these names.
function __pass_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

# Whether what is typed means show without saying so.
function __pass_is_bare
    set -l words (commandline -opc)
    test (count $words) -eq 1; or string match -q -- '-*' $words[2]
end

function __pass_ask
    command passel __complete $argv (commandline -ct | string unescape 2>/dev/null) 2>/dev/null
end

# What git would be offered in the store.
function __pass_git
    set -l store $HOME/.password-store
    test -n "$PASSWORD_STORE_DIR"; and set store $PASSWORD_STORE_DIR
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l before (string escape -- git -C $store $words[3..-1])
    complete -C "$before $last"
end

complete -c pass -f
complete -c pass -n __pass_needs_command -a init -d 'Set the recipients of the store or a folder, and encrypt its entries to them'
complete -c pass -n __pass_needs_command -a show -d 'Show an entry, or list a folder'
complete -c pass -n __pass_needs_command -a ls -d 'Show an entry, or list a folder'
complete -c pass -n __pass_needs_command -a list -d 'Show an entry, or list a folder'
complete -c pass -n __pass_needs_command -a find -d 'List entries and folders whose names match'
complete -c pass -n __pass_needs_command -a search -d 'List entries and folders whose names match'
complete -c pass -n __pass_needs_command -a grep -d 'Search the decrypted entries'
complete -c pass -n __pass_needs_command -a insert -d 'Store a password or a text'
complete -c pass -n __pass_needs_command -a add -d 'Store a password or a text'
complete -c pass -n __pass_needs_command -a edit -d 'Edit an entry, or write a new one, in an editor'
complete -c pass -n __pass_needs_command -a generate -d 'Make a password and store it'
complete -c pass -n __pass_needs_command -a rm -d 'Remove an entry or a folder'
complete -c pass -n __pass_needs_command -a remove -d 'Remove an entry or a folder'
complete -c pass -n __pass_needs_command -a delete -d 'Remove an entry or a folder'
complete -c pass -n __pass_needs_command -a mv -d 'Move an entry or a folder; what lands under other recipients is encrypted anew'
complete -c pass -n __pass_needs_command -a rename -d 'Move an entry or a folder; what lands under other recipients is encrypted anew'
complete -c pass -n __pass_needs_command -a cp -d 'Copy an entry or a folder; what lands under other recipients is encrypted anew'
complete -c pass -n __pass_needs_command -a copy -d 'Copy an entry or a folder; what lands under other recipients is encrypted anew'
complete -c pass -n __pass_needs_command -a recipients -d 'Show or change who can read a folder'
complete -c pass -n __pass_needs_command -a group -d 'Show or change groups of recipients, and the folders that follow them'
complete -c pass -n __pass_needs_command -a client -d 'Let clients read a folder of their own'
complete -c pass -n __pass_needs_command -a keys -d 'Let the public keys of all recipients travel in the store'
complete -c pass -n __pass_needs_command -a adopt -d 'Look over a store that another program has made, and mend what is safe to mend'
complete -c pass -n __pass_needs_command -a cache -d 'Forget the session keys that are remembered for speed'
complete -c pass -n __pass_needs_command -a doctor -d 'Tell how long work on many entries takes here, and what would make it quicker'
complete -c pass -n __pass_needs_command -a git -d 'Run git in the store'
complete -c pass -n __pass_needs_command -a help -d 'Show the commands, or how to use one'
complete -c pass -n __pass_needs_command -a version -d 'Show the version'
complete -c pass -n '__pass_is init' -s p -l path -x -a '(__pass_ask folders)' -d 'Do so for this folder only, not for the whole store'
complete -c pass -n '__pass_is init' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is init' -a '(__pass_ask keys)'
complete -c pass -n '__pass_is_bare; or __pass_is show ls list' -s c -l clip -d 'Put line LINE (the first) on the clipboard instead of printing the entry'
complete -c pass -n '__pass_is_bare; or __pass_is show ls list' -s q -l qrcode -d 'Show line LINE (the first) as a QR code instead of printing the entry'
complete -c pass -n '__pass_is_bare; or __pass_is show ls list' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is ls list' -a '(__pass_ask names)'
complete -c pass -n '__pass_is_bare; or __pass_is show' -a '(__pass_ask entries)'
complete -c pass -n '__pass_is insert add' -s e -l echo -d 'Show the password while it is typed, and ask for it once'
complete -c pass -n '__pass_is insert add' -s m -l multiline -d 'Take lines until the end of the input'
complete -c pass -n '__pass_is insert add' -s f -l force -d 'Replace an entry without asking'
complete -c pass -n '__pass_is insert add' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is insert add' -a '(__pass_ask names)'
complete -c pass -n '__pass_is edit' -a '(__pass_ask names)'
complete -c pass -n '__pass_is generate' -s n -l no-symbols -d 'Use letters and digits only'
complete -c pass -n '__pass_is generate' -s c -l clip -d 'Put the password on the clipboard instead of printing it'
complete -c pass -n '__pass_is generate' -s q -l qrcode -d 'Show the password as a QR code instead of printing it'
complete -c pass -n '__pass_is generate' -s i -l in-place -d 'Replace only the first line of an entry that is there'
complete -c pass -n '__pass_is generate' -s f -l force -d 'Replace an entry without asking'
complete -c pass -n '__pass_is generate' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is generate' -a '(__pass_ask names)'
complete -c pass -n '__pass_is rm remove delete' -s r -l recursive -d 'Remove a folder with everything in it'
complete -c pass -n '__pass_is rm remove delete' -s f -l force -d 'Do not ask'
complete -c pass -n '__pass_is rm remove delete' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is rm remove delete' -a '(__pass_ask names)'
complete -c pass -n '__pass_is mv rename' -s f -l force -d 'Replace an entry without asking'
complete -c pass -n '__pass_is mv rename' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is mv rename' -a '(__pass_ask names)'
complete -c pass -n '__pass_is cp copy' -s f -l force -d 'Replace an entry without asking'
complete -c pass -n '__pass_is cp copy' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is cp copy' -a '(__pass_ask names)'
complete -c pass -n '__pass_is recipients' -s t -l tree -d 'Show every recipients file at and below the folder'
complete -c pass -n '__pass_is recipients' -s j -l json -d 'Print JSON, for programs'
complete -c pass -n '__pass_is recipients' -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pass -n '__pass_is recipients' -l key -r -F -d 'A file with one public key, `-` for standard input; imported once its fingerprint is confirmed'
complete -c pass -n '__pass_is recipients' -l fingerprint -r -F -d 'The full fingerprints of keys that gain access; confirms them without a question'
complete -c pass -n '__pass_is recipients' -l certify -d 'Certify the keys for this keyring alone, so that stock pass encrypts to them too'
complete -c pass -n '__pass_is recipients' -l dry-run -d 'Show what would change, and change nothing'
complete -c pass -n '__pass_is recipients' -s y -l yes -d 'Do not ask'
complete -c pass -n '__pass_is recipients' -l force -d 'Do it even if none of your own keys could read the folder any more'
complete -c pass -n '__pass_is recipients' -l expect -r -F -d 'Accept without a question if exactly these full fingerprints, separated by commas, can read the folder. Folders below it are left alone'
complete -c pass -n '__pass_is recipients' -l expect-rules -r -F -d 'Accept the groups and rules, and nothing else, without a question if `.passel.yaml` has this SHA-256 (`none` if there is no such file)'
complete -c pass -n '__pass_is recipients' -l accept -d 'Let them pass: on this machine they are encrypted anew from now on, where they are'
complete -c pass -n '__pass_is recipients; and test (count (commandline -opc)) -eq 2' -a 'list add remove set who what update check canonicalize accept review'
complete -c pass -n '__pass_is recipients' -a '(__pass_ask folders; __pass_ask keys)'
complete -c pass -n '__pass_is group' -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pass -n '__pass_is group' -l key -r -F -d 'A file with one public key, `-` for standard input; imported once its fingerprint is confirmed'
complete -c pass -n '__pass_is group' -l fingerprint -r -F -d 'The full fingerprints of keys that gain access; confirms them without a question'
complete -c pass -n '__pass_is group' -l certify -d 'Certify the keys for this keyring alone, so that stock pass encrypts to them too'
complete -c pass -n '__pass_is group' -l dry-run -d 'Show what would change, and change nothing'
complete -c pass -n '__pass_is group' -s y -l yes -d 'Do not ask'
complete -c pass -n '__pass_is group' -l force -d 'Write lists anew that somebody edited, and go on even if you lose access yourself'
complete -c pass -n '__pass_is group' -l json -d 'Print JSON, for programs'
complete -c pass -n '__pass_is group' -l keep -d 'Whoever can read the folder now still can: only later changes of the group no longer matter'
complete -c pass -n '__pass_is group; and test (count (commandline -opc)) -eq 2' -a 'add remove list assign unassign'
complete -c pass -n '__pass_is group' -a '(__pass_ask folders; __pass_ask keys)'
complete -c pass -n '__pass_is client' -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pass -n '__pass_is client' -l key -r -F -d 'A file with one public key, `-` for standard input; imported once its fingerprint is confirmed'
complete -c pass -n '__pass_is client' -l fingerprint -r -F -d 'The full fingerprints of keys that gain access; confirms them without a question'
complete -c pass -n '__pass_is client' -l certify -d 'Certify the keys for this keyring alone, so that stock pass encrypts to them too'
complete -c pass -n '__pass_is client' -l group -r -F -d 'A group that can read the folder as well, instead of the usual ones; may be repeated'
complete -c pass -n '__pass_is client' -l dry-run -d 'Show what would change, and change nothing'
complete -c pass -n '__pass_is client' -s y -l yes -d 'Do not ask'
complete -c pass -n '__pass_is client' -l force -d 'Go on even if none of your own keys can read the folder'
complete -c pass -n '__pass_is client' -l json -d 'Print JSON, for programs'
complete -c pass -n '__pass_is client' -l keep-entries -d 'Keep the folder and its entries, no longer readable by the client'
complete -c pass -n '__pass_is client; and test (count (commandline -opc)) -eq 2' -a 'add list show remove'
complete -c pass -n '__pass_is client' -a '(__pass_ask folders; __pass_ask keys)'
complete -c pass -n '__pass_is keys' -s h -l help -d 'Print help'
complete -c pass -n '__pass_is keys' -s j -l json -d 'Print JSON, for programs'
complete -c pass -n '__pass_is keys' -l prune -d 'Take out the keys that no recipients file names any more'
complete -c pass -n '__pass_is keys' -l fingerprint -r -F -d 'Import exactly the keys with these full fingerprints, without a question'
complete -c pass -n '__pass_is keys' -l certify -d 'Certify the keys for this keyring alone, so that stock pass encrypts to them too; also those that the keyring has already'
complete -c pass -n '__pass_is keys; and test (count (commandline -opc)) -eq 2' -a 'list export import'
complete -c pass -n '__pass_is keys' -a '(__pass_ask folders; __pass_ask keys)'
complete -c pass -n '__pass_is adopt' -s f -l fix -d 'Mend what is safe'
complete -c pass -n '__pass_is adopt' -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pass -n '__pass_is cache' -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pass -n '__pass_is cache' -l all -d 'What is remembered of other stores too'
complete -c pass -n '__pass_is cache; and test (count (commandline -opc)) -eq 2' -a 'clear'
complete -c pass -n '__pass_is cache' -a '(__pass_ask folders; __pass_ask keys)'
complete -c pass -n '__pass_is doctor' -s j -l json -d 'Print JSON, for programs'
complete -c pass -n '__pass_is doctor' -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pass -n '__pass_is git' -a '(__pass_git)'
complete -c pass -n '__pass_is help' -a 'init show ls list find search grep insert add edit generate rm remove delete mv rename cp copy recipients group client keys adopt cache doctor git help version'
