# Completion of passel for bash. Generated: change tests/generated/bash.in, then `make generated`.

# Splits a line into words without their quotes: bash's own words end at `@`, `:` and `=` too, which names
# may hold. Sets `words`, `start` (where the last word begins) and `quote` (which one is still open).
_passel_split() {
    local line=$1 char next word='' begun='' i
    words=() start=0 quote=''
    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1} next=${line:i+1:1}
        if [[ $char == "$quote" ]]; then
            quote=''
        elif [[ $quote == "'" ]]; then
            word+=$char
        elif [[ $char == \\ && (-z $quote || $next == [\"\\\$\`]) ]]; then
            word+=$next begun=1
            ((i++))
        elif [[ -n $quote ]]; then
            word+=$char
        elif [[ $char == [\'\"] ]]; then
            quote=$char begun=1
        elif [[ $char == [[:blank:]] ]]; then
            [[ -z $begun ]] || words+=("$word")
            word='' begun='' start=$((i + 1))
        else
            word+=$char begun=1
        fi
    done
    words+=("$word")
}

# Adds those of the other arguments that begin with what was typed.
_passel_offer() {
    local item
    for item in "$@"; do
        [[ $item != "$cur"* ]] || COMPREPLY+=("$item")
    done
}

# Adds what the program knows of that kind; $2 stands before each.
_passel_ask() {
    local items
    mapfile -t items < <(command passel __complete "$1" "${cur#"$2"}" 2>/dev/null)
    _passel_offer "${items[@]/#/"$2"}"
}

# The next three are for completions of extensions, too. With 1, folders that hold but one name are entered.
_passel_complete_entries() {
    if [[ ${1:-0} == 1 ]]; then _passel_ask enter-entries ''; else _passel_ask step-entries ''; fi
}

_passel_complete_folders() {
    _passel_ask step-folders ''
}

_passel_complete_keys() {
    _passel_ask keys ''
}

# Adds the options of a command.
_passel_complete_options() {
    case $1 in
    init) _passel_offer -p --path -h --help ;;
    show | ls | list | -*) _passel_offer -c --clip -q --qrcode -h --help ;;
    insert | add) _passel_offer -e --echo -m --multiline -f --force -h --help ;;
    generate) _passel_offer -n --no-symbols -c --clip -q --qrcode -i --in-place -f --force -h --help ;;
    rm | remove | delete) _passel_offer -r --recursive -f --force -h --help ;;
    mv | rename) _passel_offer -f --force -h --help ;;
    cp | copy) _passel_offer -f --force -h --help ;;
    recipients) _passel_offer -t --tree -j --json -h --help --key --fingerprint --certify --dry-run -y --yes --force --rotate --no-rotate --expect --expect-rules --accept ;;
    group) _passel_offer -h --help --key --fingerprint --certify --dry-run -y --yes --force --rotate --no-rotate --json --keep ;;
    client) _passel_offer -h --help --key --fingerprint --certify --group --dry-run -y --yes --force --json --keep-entries --rotate --no-rotate ;;
    keys) _passel_offer -h --help -j --json --prune --fingerprint --certify ;;
    adopt) _passel_offer -f --fix -h --help ;;
    audit) _passel_offer -h --help --at --by -j --json --csv --since --as --no-decrypt --ignored -o --output --force --folder ;;
    rotate) _passel_offer --folder -j --json -h --help --why --exposed --as --health ;;
    incident) _passel_offer -h --help --about --as --since --no-rotate -j --json --why --force -o --output --say --name-people ;;
    fsck) _passel_offer --repair --no-decrypt -j --json -h --help ;;
    cache) _passel_offer -h --help --all ;;
    doctor) _passel_offer -j --json -h --help ;;
    clone) _passel_offer -y --yes --import --no-import -h --help ;;
    sync) _passel_offer --pull --push --dry-run --accept-rewind --watch --interval -j --json -h --help ;;
    log) _passel_offer -n --number --since --until --no-decrypt -j --json -h --help ;;
    history) _passel_offer --show --diff --reveal --no-decrypt -j --json -h --help -f --force ;;
    trust) _passel_offer -h --help -y --yes --fingerprint -j --json ;;
    git-setup) _passel_offer -h --help ;;
    conflicts) _passel_offer -j --json -h --help --reveal --ours --theirs ;;
    merge-driver) _passel_offer -h --help ;;
    esac
}

# Adds what may follow a command; $2 is the word before the cursor.
_passel_complete_arguments() {
    case $1 in
    init)
        case $2,$cur in
        -p,* | --path,*) _passel_complete_folders ;;
        *,--path=*) _passel_ask step-folders --path= ;;
        *) _passel_complete_keys ;;
        esac
        ;;
    find | search | grep | version) ;;
    recipients)
        if ((${#typed[@]} == 3)); then
            _passel_offer list add remove set who what update check canonicalize accept review
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    group)
        if ((${#typed[@]} == 3)); then
            _passel_offer add remove list assign unassign
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    client)
        if ((${#typed[@]} == 3)); then
            _passel_offer add list show remove
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    keys)
        if ((${#typed[@]} == 3)); then
            _passel_offer list export import
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    audit)
        if ((${#typed[@]} == 3)); then
            _passel_offer access exposure health report
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    rotate)
        if ((${#typed[@]} == 3)); then
            _passel_offer add status close
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    incident)
        if ((${#typed[@]} == 3)); then
            _passel_offer open list show note close report
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    cache)
        if ((${#typed[@]} == 3)); then
            _passel_offer clear
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    history)
        if ((${#typed[@]} == 3)); then
            _passel_offer restore
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    trust)
        if ((${#typed[@]} == 3)); then
            _passel_offer add remove list
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    conflicts)
        if ((${#typed[@]} == 3)); then
            _passel_offer show pick edit
        else
            _passel_complete_folders
            _passel_complete_keys
        fi
        ;;
    git) _passel_offer init push pull fetch status log diff show remote config reflog rebase ;;
    help) _passel_offer init show ls list find search grep insert add edit generate rm remove delete mv rename cp copy recipients group client keys adopt audit rotate incident fsck cache doctor clone sync log history trust git git-setup conflicts merge-driver help version ;;
    insert | add | edit | generate | rm | remove | delete | mv | rename | cp | copy) _passel_complete_entries ;;
    *) _passel_complete_entries 1 ;;
    esac
}

# An extension brings its completion by adding its name to the array PASSWORD_STORE_EXTENSION_COMMANDS and
# defining __password_store_extension_complete_NAME, which adds to COMPREPLY what begins with $cur.
_passel_complete_words() {
    local command=${typed[1]} extension last=${typed[-2]}
    if ((${#typed[@]} == 2)); then
        if [[ $cur == -* ]]; then
            _passel_complete_options show
            _passel_offer --version
        else
            _passel_offer init show ls find grep insert edit generate rm mv cp recipients group client keys adopt audit rotate incident fsck cache doctor clone sync log history trust git git-setup conflicts merge-driver help version "${PASSWORD_STORE_EXTENSION_COMMANDS[@]}"
            _passel_complete_entries 1
        fi
        return
    fi
    for extension in "${PASSWORD_STORE_EXTENSION_COMMANDS[@]}"; do
        if [[ $extension == "$command" ]]; then
            ! declare -F "__password_store_extension_complete_$command" >/dev/null ||
                "__password_store_extension_complete_$command"
            return
        fi
    done
    if [[ $cur == -* && $cur != --path=* && " ${typed[*]:1:${#typed[@]}-2} " != *" -- "* ]]; then
        _passel_complete_options "$command"
    else
        _passel_complete_arguments "$command" "$last"
    fi
}

# Writes the only match as it must stand in the line: within the quote that is open, or with backslashes.
_passel_quote() {
    local text=${COMPREPLY[0]} char
    case $1 in
    "'") text=${text//\'/\'\\\'\'} ;;
    '"') for char in \\ \" \$ \`; do text=${text//"$char"/\\"$char"}; done ;;
    *) printf -v text %q "$text" ;;
    esac
    COMPREPLY=("$text")
}

_passel() {
    local line=${COMP_LINE:0:COMP_POINT} words start quote
    _passel_split "$line"
    local typed=("${words[@]}") cur=${words[-1]} raw=${line:start} open=$quote
    COMPREPLY=()
    ((${#typed[@]} > 1)) || return
    _passel_complete_words
    # bash replaces only what stands behind the last `@`, `:` or `=`: what stands before is taken off.
    if [[ $raw == *"$2" ]]; then
        _passel_split "${raw%"$2"}"
        COMPREPLY=("${COMPREPLY[@]#"${words[-1]}"}")
    fi
    ((${#COMPREPLY[@]} == 1)) || return 0
    [[ ${COMPREPLY[0]} != */ ]] || compopt -o nospace
    # bash would take an entry for a folder of that name here, adding a slash, and it leaves `$` as it is.
    if [[ ${COMPREPLY[0]} == *[\$\`]* || (-d ${COMPREPLY[0]} && ${COMPREPLY[0]} != */) ]]; then
        compopt +o filenames
        _passel_quote "$open"
    fi
}

complete -o filenames -F _passel passel
