# shellcheck shell=bash
# What extensions of pass find around them. Read by bash before the extension (see extension.rs), as
#   bash -c TEXT PROGRAM BINARY FILE ORIGIN COMMAND ARGUMENT...
# The names of functions and variables, and what they do, are pass's interface; the code is not pass's.
# Names of our own begin with passel_. What pass's commands do is done by our own program, called back.

# Extensions use these; nothing here does.
# shellcheck disable=SC2034,SC2317

set -o pipefail

#
# Variables
#
PROGRAM=${0##*/}
PREFIX=${PASSWORD_STORE_DIR:-$HOME/.password-store}
EXTENSIONS=${PASSWORD_STORE_EXTENSIONS_DIR:-$PREFIX/.extensions}
SYSTEM_EXTENSION_DIR=/usr/lib/password-store/extensions
X_SELECTION=${PASSWORD_STORE_X_SELECTION:-clipboard}
CLIP_TIME=${PASSWORD_STORE_CLIP_TIME:-45}
GENERATED_LENGTH=${PASSWORD_STORE_GENERATED_LENGTH:-25}
CHARACTER_SET=${PASSWORD_STORE_CHARACTER_SET:-[:punct:][:alnum:]}
CHARACTER_SET_NO_SYMBOLS=${PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS:-[:alnum:]}
INNER_GIT_DIR=
passel_reencrypted=
unset SECURE_TMPDIR
GPG_RECIPIENTS=()
GPG_RECIPIENT_ARGS=()

GETOPT=getopt
SHRED="shred -f -z"
BASE64=base64
if [[ $OSTYPE == darwin* ]]; then
	# GNU getopt lies where Homebrew keeps what macOS has in another form.
	passel_brew=$(brew --prefix gnu-getopt 2>/dev/null) && GETOPT=$passel_brew/bin/getopt
	SHRED="rm -P -f"
	BASE64="openssl base64"
fi

GPG=gpg
type -P gpg2 >/dev/null && GPG=gpg2
# Split at blanks on purpose: the variable holds options.
# shellcheck disable=SC2206
GPG_OPTS=($PASSWORD_STORE_GPG_OPTS --quiet --yes --compress-algo=none --no-encrypt-to)
[[ $GPG == gpg2 || -n $GPG_AGENT_INFO ]] && GPG_OPTS+=(--batch --use-agent)
[[ -n $GPG_TTY ]] || GPG_TTY=$(tty 2>/dev/null)
export GPG_TTY

# The store's own repositories only, whatever calls us (a git hook, for one).
unset GIT_DIR GIT_WORK_TREE GIT_NAMESPACE GIT_INDEX_FILE GIT_INDEX_VERSION GIT_OBJECT_DIRECTORY GIT_COMMON_DIR
export GIT_CEILING_DIRECTORIES=$PREFIX/..

#
# Talking
#
die() {
	passel_say "$*"$'\n'
	exit 1
}

# Asks; anything but y or Y ends the command. Without a terminal the answer is yes.
yesno() {
	local answer
	if [[ -t 0 ]]; then
		passel_say "$1 [y/N] "
		read -r answer
		case $answer in y | Y) ;; *) exit 1 ;; esac
	fi
}

# Runs our own program by the name that we were called by, with what the extension may have changed.
passel_call() (
	# No values: as they are, but told also where the extension made them, not the environment.
	export PASSWORD_STORE_KEY PASSWORD_STORE_SIGNING_KEY PASSWORD_STORE_GPG_OPTS
	export PASSWORD_STORE_DIR=$PREFIX PASSWORD_STORE_EXTENSIONS_DIR=$EXTENSIONS
	export PASSWORD_STORE_X_SELECTION=$X_SELECTION PASSWORD_STORE_CLIP_TIME=$CLIP_TIME
	export PASSWORD_STORE_GENERATED_LENGTH=$GENERATED_LENGTH PASSWORD_STORE_CHARACTER_SET=$CHARACTER_SET
	export PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS=$CHARACTER_SET_NO_SYMBOLS
	exec -a "$0" "$passel_binary" "$@"
)

# Prints $1 on standard error. An extension puts into it what was typed, or what somebody's QR code says: on
# a terminal all is written out that could drive it.
passel_say() {
	if [[ -t 2 ]]; then
		printf '%s' "$1" | passel_call --internal-shown >&2
	else
		printf '%s' "$1" >&2
	fi
}

# Copies $1, which the message calls $2. The secret goes through a pipe (printf is no program of its own).
clip() {
	printf '%s' "$1" | passel_call --internal-clip "$2" || exit 1
}

# Draws $1 as a QR code.
qrcode() {
	printf '%s' "$1" | passel_call --internal-qrcode "$2" || exit 1
}

#
# Paths
#
check_sneaky_paths() {
	local passel_path
	for passel_path; do
		case /$passel_path/ in
			*/../*) die "Error: You've attempted to pass a sneaky path to pass. Go home." ;;
		esac
	done
}

# Makes SECURE_TMPDIR, in memory where there is some; it goes when the command ends. It bears the mark and
# the lock by which the next command knows it if this one is killed.
tmpdir() {
	[[ -z $SECURE_TMPDIR ]] || return 0
	local parent=/dev/shm passel_lock
	if [[ -d $parent && -w $parent && -x $parent ]]; then
		trap passel_remove_tmpdir EXIT
	else
		parent=${TMPDIR:-/tmp}
		[[ $1 == nowarn ]] || yesno "There is no /dev/shm here: plaintext would be kept in $parent, on a disk perhaps.
Are you sure you would like to continue?"
		trap 'passel_shred_tmpdir; passel_remove_tmpdir' EXIT
	fi
	SECURE_TMPDIR=$(mktemp -d "$parent/pass.XXXXXXXXXXXXX") || die "Error: cannot make a folder in $parent."
	if type -P flock >/dev/null && exec {passel_lock}<"$SECURE_TMPDIR" && flock -n "$passel_lock"; then
		: >"$SECURE_TMPDIR/.passel"
	fi
}

passel_remove_tmpdir() {
	[[ -z $SECURE_TMPDIR ]] || rm -rf -- "$SECURE_TMPDIR"
}

passel_shred_tmpdir() {
	# A command and its options.
	# shellcheck disable=SC2086
	[[ -z $SECURE_TMPDIR ]] || find "$SECURE_TMPDIR" -type f -exec $SHRED {} +
}

#
# Git
#

# Sets INNER_GIT_DIR to the folder, inside a repository, that holds $1; to nothing if there is none.
set_git() {
	local folder=$1
	while folder=${folder%/*}; [[ ! -d $folder ]]; do
		[[ ${folder%/*}/ == "${PREFIX%/}"/* ]] || break
	done
	INNER_GIT_DIR=
	if [[ $(git -C "$folder" rev-parse --is-inside-work-tree 2>/dev/null) == true ]]; then
		INNER_GIT_DIR=$folder
	fi
}

# Adds $1 and commits it with the message $2, if it has changed.
git_add_file() {
	[[ -n $INNER_GIT_DIR ]] || return
	git -C "$INNER_GIT_DIR" add -- "$1" || return
	if [[ -n $(git -C "$INNER_GIT_DIR" status --porcelain -- "$1") ]]; then
		git_commit "$2"
	elif [[ -n $passel_reencrypted ]] && ! git -C "$INNER_GIT_DIR" diff --cached --quiet; then
		# reencrypt_path has committed $1; what was staged to go with it, its old place say, is yet to come.
		git_commit "$2"
	else
		return 1
	fi
}

# git shows the message as it is, and a log may too: what drives a terminal is written out, as in our own.
git_commit() {
	[[ -n $INNER_GIT_DIR ]] || return
	local sign=() message
	message=$(printf '%s' "$1" | passel_call --internal-shown) || return
	[[ $(git -C "$INNER_GIT_DIR" config --bool pass.signcommits) != true ]] || sign=(-S)
	git -C "$INNER_GIT_DIR" commit "${sign[@]}" -m "$message"
}

#
# GnuPG
#

# Ends the command unless $1 is signed, in $1.sig, by one of PASSWORD_STORE_SIGNING_KEY (if that is set).
verify_file() {
	[[ -z $PASSWORD_STORE_SIGNING_KEY ]] || passel_call --internal-verify "$1" || exit 1
}

# Sets GPG_RECIPIENTS and GPG_RECIPIENT_ARGS to the recipients that rule the folder $1 of the store: whole
# fingerprints, in which gpg finds nobody else. Ends the command unless each of them can be encrypted to.
set_gpg_recipients() {
	local passel_found passel_id
	passel_found=$(passel_call --internal-recipients "$1") || exit 1
	GPG_RECIPIENTS=()
	GPG_RECIPIENT_ARGS=()
	while read -r passel_id; do
		GPG_RECIPIENTS+=("$passel_id")
		GPG_RECIPIENT_ARGS+=(-r "$passel_id")
	done <<<"$passel_found"
}

# Encrypts the entry $1, or all below the folder $1, anew where others can read them than their recipients:
# in a commit of its own, or none of them, and then the command ends, as pass's does for a recipient's sake.
# (An entry that cannot be encrypted anew pass leaves as it is, and returns 0.)
# The git_add_file that comes next then has nothing to do and returns 1. It does so under pass too, whenever
# nothing was to be encrypted anew or there is no repository, and no caller there takes it for a failure.
reencrypt_path() {
	local passel_done
	passel_done=$(passel_call --internal-reencrypt "$1") || exit 1
	[[ -z $passel_done ]] || {
		printf '%s\n' "$passel_done"
		passel_reencrypted=yes
	}
}

#
# pass's commands. As in pass, one that fails ends the extension.
#
cmd_version() { passel_call version; }
cmd_usage() { passel_call help; }
cmd_init() { passel_call init "$@" || exit; }
cmd_show() { passel_call show "$@" || exit; }
cmd_find() { passel_call find "$@" || exit; }
cmd_grep() { passel_call grep "$@" || exit; }
cmd_insert() { passel_call insert "$@" || exit; }
cmd_edit() { passel_call edit "$@" || exit; }
cmd_generate() { passel_call generate "$@" || exit; }
cmd_delete() { passel_call rm "$@" || exit; }
cmd_git() { passel_call git "$@"; }
cmd_extension_or_show() { passel_call "$@" || exit; }

cmd_copy_move() {
	local verb="mv"
	[[ $1 != copy ]] || verb="cp"
	shift
	passel_call "$verb" "$@" || exit
}

#
# The extension
#

# In a function, as in pass: extensions use `local` at their outermost level.
passel_run() {
	local passel_file=$1 passel_origin=$2
	COMMAND=$3
	shift 3
	[[ $passel_origin != user ]] || verify_file "$passel_file"
	# shellcheck source=/dev/null
	source "$passel_file" "$@"
}

passel_binary=$1
shift
passel_run "$@"
# Only what an extension says itself, with exit, is told.
exit 0
