# For the scripts that build hostile stores.
g() { gpg --batch --quiet --no-tty --yes --compress-algo=none --no-encrypt-to --trust-model always "$@"; }
# A message of standard input's text to the keys named.
enc() { local to=(); local key; for key; do to+=(-r "$key@example.org"); done; g --encrypt "${to[@]}"; }
# Flips a bit of the byte COUNT bytes before the end of FILE.
flip() {
    local size byte
    size=$(stat -c %s "$1")
    byte=$(od -An -tu1 -j $((size - $2)) -N1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek=$((size - $2)) conv=notrunc status=none
}
# Records everything in the store's repository.
record() { git -C store add -A && git -C store commit -q -m "Planted."; }
