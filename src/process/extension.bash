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
	printf '%s\n' "$*" >&2
	exit 1
}

# Asks; anything but y or Y ends the command. Without a terminal the answer is yes.
yesno() {
	local answer
	if [[ -t 0 ]]; then
		read -r -p "$1 [y/N] " answer
		case $answer in y | Y) ;; *) exit 1 ;; esac
	fi
}

# Runs our own program by the name that we were called by, with what the extension may have changed.
passel_call() (
	export PASSWORD_STORE_DIR=$PREFIX PASSWORD_STORE_EXTENSIONS_DIR=$EXTENSIONS
	export PASSWORD_STORE_X_SELECTION=$X_SELECTION PASSWORD_STORE_CLIP_TIME=$CLIP_TIME
	export PASSWORD_STORE_GENERATED_LENGTH=$GENERATED_LENGTH PASSWORD_STORE_CHARACTER_SET=$CHARACTER_SET
	export PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS=$CHARACTER_SET_NO_SYMBOLS
	exec -a "$0" "$passel_binary" "$@"
)

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
	else
		return 1
	fi
}

git_commit() {
	[[ -n $INNER_GIT_DIR ]] || return
	local sign=()
	[[ $(git -C "$INNER_GIT_DIR" config --bool pass.signcommits) != true ]] || sign=(-S)
	git -C "$INNER_GIT_DIR" commit "${sign[@]}" -m "$1"
}

#
# GnuPG
#

# Ends the command unless $1 is signed, in $1.sig, by one of PASSWORD_STORE_SIGNING_KEY (if that is set).
verify_file() {
	[[ -n $PASSWORD_STORE_SIGNING_KEY ]] || return 0
	[[ -f $1.sig ]] || die "Error: there is no signature of $1."
	local words wanted
	# Of a good signature gpg tells the signing key (field 3) and its primary key (the last).
	# shellcheck disable=SC2086
	while read -r -a words; do
		[[ ${words[1]} == VALIDSIG ]] || continue
		for wanted in $PASSWORD_STORE_SIGNING_KEY; do
			[[ $wanted =~ ^[A-F0-9]{40}$ ]] || continue
			case $wanted in "${words[2]}" | "${words[${#words[@]} - 1]}") return 0 ;; esac
		done
	done < <("$GPG" $PASSWORD_STORE_GPG_OPTS --status-fd=1 --verify "$1.sig" "$1" 2>/dev/null)
	die "Error: the signature of $1 is not by a key of PASSWORD_STORE_SIGNING_KEY."
}

# Sets GPG_RECIPIENTS and GPG_RECIPIENT_ARGS to the recipients that rule the folder $1 of the store.
set_gpg_recipients() {
	local line file=$PREFIX/$1
	GPG_RECIPIENTS=()
	GPG_RECIPIENT_ARGS=()
	if [[ -n $PASSWORD_STORE_KEY ]]; then
		for line in $PASSWORD_STORE_KEY; do
			passel_add_recipient "$line"
		done
		return
	fi
	until [[ -f $file/.gpg-id || $file == "$PREFIX" ]]; do
		file=${file%/*}
	done
	file=$file/.gpg-id
	if [[ ! -f $file ]]; then
		die "Error: You must run:
    $PROGRAM init your-gpg-id
before you may use the password store."
	fi
	[[ ! -L $file ]] || die "Error: $file is a symbolic link."
	verify_file "$file"
	# The last line counts without its line break too.
	while read -r line || [[ -n $line ]]; do
		line=${line%%#*}
		line=${line%"${line##*[![:space:]]}"}
		[[ -z $line ]] || passel_add_recipient "$line"
	done <"$file"
}

passel_add_recipient() {
	GPG_RECIPIENTS+=("$1")
	GPG_RECIPIENT_ARGS+=(-r "$1")
}

# Prints the IDs of the keys that GPG_RECIPIENTS encrypt to, sorted; gpg groups are followed.
passel_wanted_keys() {
	local id name line members split ids=() tag kind
	for id in "${GPG_RECIPIENTS[@]}"; do
		members=$id
		# shellcheck disable=SC2086
		while IFS=: read -r tag kind name line; do
			[[ $tag:$kind:$name == cfg:group:"$id" ]] && members=$line
		done < <("$GPG" $PASSWORD_STORE_GPG_OPTS --list-config --with-colons group 2>/dev/null)
		IFS=';' read -r -a split <<<"$members"
		ids+=("${split[@]}")
	done
	# Usable (not revoked, expired, disabled) subkeys for encryption: fields 2, 5 and 12.
	# shellcheck disable=SC2086
	"$GPG" $PASSWORD_STORE_GPG_OPTS --list-keys --with-colons -- "${ids[@]}" |
		awk -F: '$1 == "sub" && $2 !~ /[idre]/ && $12 ~ /e/ { print $5 }' | LC_ALL=C sort -u
}

# Prints the IDs of the keys that the file $1 is encrypted to, sorted.
passel_actual_keys() {
	# shellcheck disable=SC2086
	"$GPG" $PASSWORD_STORE_GPG_OPTS --batch --list-only --status-fd=1 --decrypt -- "$1" 2>/dev/null |
		awk '$2 == "ENC_TO" { print $3 }' | LC_ALL=C sort -u
}

# Encrypts every entry below $1 anew whose keys are not those of its recipients. Goes on after a failure,
# and says so in the end.
reencrypt_path() {
	local file folder wanted fresh failed=0
	while IFS= read -r -d '' file; do
		folder=${file%/*}/
		folder=${folder#"${PREFIX%/}"/}
		set_gpg_recipients "${folder%/}"
		wanted=$(passel_wanted_keys) || wanted=
		[[ -n $wanted && $wanted == "$(passel_actual_keys "$file")" ]] && continue
		fresh=$(mktemp "$file.tmp.XXXXXX.--") || { failed=1; continue; }
		folder=${file#"${PREFIX%/}"/}
		printf '%s: reencrypting to %s\n' "${folder%.gpg}" "${wanted//$'\n'/ }"
		if [[ -n $wanted ]] && "$GPG" -d "${GPG_OPTS[@]}" "$file" |
			"$GPG" -e "${GPG_RECIPIENT_ARGS[@]}" -o "$fresh" "${GPG_OPTS[@]}"; then
			mv -f -- "$fresh" "$file" && continue
		fi
		rm -f -- "$fresh"
		printf 'Error: %s could not be encrypted anew.\n' "$file" >&2
		failed=1
	done < <(find "$1" -name .git -prune -o -type f -iname '*.gpg' -print0)
	return "$failed"
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
