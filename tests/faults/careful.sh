#!/bin/sh
# As little of a password store as the fault sweep can be run on, done with care: a file is written beside,
# synced and renamed, and its folder is synced, before the exit code is 0. No git.
set -eu
cd "$PASSWORD_STORE_DIR"
rm -f -- */.new
case $1 in
ls) exit 0 ;;
insert)
	for name; do :; done
	folder=${name%/*}
	keys=$(sed 's/^/-r /' .gpg-id)
	# shellcheck disable=SC2086 # one word for each -r and key
	gpg --batch --quiet -e $keys >"$folder/.new"
	sync "$folder/.new"
	mv -f "$folder/.new" "$name.gpg"
	sync "$folder"
	;;
rm)
	for name; do :; done
	rm -f "$name.gpg"
	sync "${name%/*}"
	;;
*) exit 64 ;;
esac
