# What the benchmarks share; sourced by them. Sets `passel` and `pass`, the programs to measure; `keys`, a
# folder for keyrings, and `base`, one for stores, both removed in the end; and clears the environment.
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
	echo "benches: $*" >&2
	exit 1
}

passel=$(command -v "${PASSEL:-$here/../target/release/passel}") || die "no program; run 'make build' or set PASSEL"
passel=$(realpath "$passel")
# shellcheck disable=SC2034 # used by those who source this
pass=$(command -v pass) || die "no pass to compare with; scripts/install-deps bench"
for tool in hyperfine tree gpg git; do
	command -v "$tool" >/dev/null || die "no $tool; scripts/install-deps bench"
done
[ -x /usr/bin/time ] || die "no /usr/bin/time; scripts/install-deps bench"

for name in "${!PASSWORD_STORE_@}" "${!GIT_@}" "${!XDG_@}" GPG_TTY EDITOR VISUAL; do
	unset "$name"
done
export LC_ALL=C.UTF-8 GIT_CONFIG_NOSYSTEM=1
umask 077

# Keyrings need short paths (an agent's socket has a length limit); the stores may lie elsewhere.
keys=$(mktemp -d /tmp/pXXXXXX)
base=$(mktemp -d "${TMPDIR:-/tmp}/passel-bench-XXXXXX")
readonly keys base
export HOME=$base/home
mkdir "$HOME"

cleanup() {
	local status=$?
	trap '' INT TERM
	for home in "$keys"/*/; do
		gpgconf --homedir "${home%/}" --kill all || true
		gpgconf --homedir "${home%/}" --remove-socketdir >/dev/null 2>&1 || true
	done
	rm -rf "$keys" "$base"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

progress() { printf 'benches: %s\n' "$*" >&2; }

# make_key ALGORITHM NAME: a key without passphrase for NAME@example.org in GNUPGHOME, of gpg's present kind
# (cv25519), or of RSA.
make_key() {
	if [ "$1" = rsa4096 ]; then
		gpg --batch --quiet --passphrase '' --quick-generate-key "$2 <$2@example.org>" rsa4096 sign never
		gpg --batch --quiet --passphrase '' --quick-add-key "$(fingerprint "$2")" rsa4096 encrypt never
	else
		gpg --batch --quiet --passphrase '' --quick-generate-key "$2 <$2@example.org>" \
			future-default default never
	fi 2>/dev/null
}

# fingerprint NAME: that of the key.
fingerprint() {
	gpg --batch --with-colons --list-keys "$1@example.org" 2>/dev/null | awk -F: '$1 == "fpr" { print $10; exit }'
}

# commit_all STORE: makes the folder a repository of one commit.
commit_all() {
	git -C "$1" init --quiet --initial-branch=main
	# Its own in the background would be in the way of ours.
	git -C "$1" config gc.auto 0
	git -C "$1" config user.name Bench
	git -C "$1" config user.email bench@example.org
	echo '*.gpg diff=gpg' >"$1/.gitattributes"
	git -C "$1" add --all
	git -C "$1" commit --quiet --message 'Add current contents of password store.'
	git -C "$1" gc --quiet
}

machine() {
	local cpu
	local system
	system=$(awk -F'"' '/^PRETTY_NAME=/ { print $2 }' /etc/os-release 2>/dev/null || uname -s)
	cpu=$(awk -F': *' '/^model name/ { print $2; exit }' /proc/cpuinfo 2>/dev/null || true)
	printf 'Machine: %s, %s cores, %s GiB of memory; stores on %s; %s, Linux %s; %s; %s; pass %s; %s; %s.\n' \
		"${cpu:-unknown processor}" "$(nproc)" \
		"$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
		"$(findmnt -no FSTYPE -T "$base" 2>/dev/null || stat -f -c %T "$base")" \
		"${system:-unknown system}" "$(uname -r)" \
		"$(gpg --version | head -n 1)" "$(git --version)" \
		"$(pass version | grep -o 'v[0-9.]*[0-9]' | head -n 1)" \
		"passel $("$passel" --version | grep -o '[0-9]\+\.[0-9]\+\.[0-9]\+' | tail -n 1 || true)" \
		"$(hyperfine --version)"
}
