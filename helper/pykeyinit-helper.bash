# bash completion for pykeyinit-helper(8)                       -*- shell-script -*-
_pykeyinit_helper() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local words='' number option=''
    COMPREPLY=()
    # Bash hands over --user=root as three words: --user = root.
    if [[ $current == = ]]; then
        current=''
    elif [[ $previous == = && $COMP_CWORD -gt 2 ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if [[ $COMP_CWORD -eq 1 ]]; then
        words='run show explain sessions watch adopt try check enable disable --version --help'
    elif [[ ${COMP_WORDS[1]} == run ]]; then
        # From PROGRAM on, complete what it takes.
        for ((number = 2; number < COMP_CWORD; number++)); do
            option=${COMP_WORDS[number]}
            case $option in
            --session | --link | --user | --tag | --credential | --credential-timeout)
                [[ ${COMP_WORDS[number + 1]-} != = ]] || ((number++))
                ((number++))
                # --session name=NAME, --credential NAME=FILE
                if [[ $option == --credential || ${COMP_WORDS[number]-} == name ]]; then
                    [[ ${COMP_WORDS[number + 1]-} != = ]] || ((number += 2))
                fi
                ;;
            --) ((number++)) && break ;;
            -*) ;;
            *) break ;;
            esac
        done
        if ((number < COMP_CWORD)) || [[ ${COMP_WORDS[number - 1]} == -- ]]; then
            if declare -F _command_offset >/dev/null; then
                _command_offset "$number"
            else
                local kind=-c
                ((number == COMP_CWORD)) || kind=-f
                mapfile -t COMPREPLY < <(compgen "$kind" -- "$current")
            fi
            return
        fi
        if ((number > COMP_CWORD)) && [[ $option == --credential && $previous != --credential ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        fi
        case $previous in
        --session) words='keep new user-session name=' ;;
        --link) words='user user-session persistent none' ;;
        --user) mapfile -t COMPREPLY < <(compgen -u -- "$current") && return ;;
        --tag | --credential | --credential-timeout | name) return ;;
        *)
            words='--session --link --user --tag --credential --credential-timeout --new-session
                --revoke-on-exit --strict --quiet --debug --help'
            [[ $current == -* ]] || mapfile -t COMPREPLY < <(compgen -c -- "$current")
            ;;
        esac
    elif [[ $previous == --color ]]; then
        words='auto always never'
    else
        case ${COMP_WORDS[1]} in
        show) words='@t @p @s @u @us --json --dot --color --help' ;;
        explain) words='user: keyring: logon: @t @p @s @u @us --json --color --help' ;;
        sessions) words='--json --color --help' ;;
        watch) words='@t @p @s @u @us --json --help' ;;
        adopt) words='--help' ;;
        check)
            [[ $previous != --root ]] || mapfile -t COMPREPLY < <(compgen -d -- "$current")
            [[ $previous != --root ]] || return
            words='--root --json --ignore --color --help'
            [[ $previous != --ignore ]] || words='pam-python-in-set-user-id writable unreadable
                strict absent broken old-python misspelt wrong-type unreached keyctl-refused no-pam twice
                setcred late early keyring-mode options quota label without'
            ;;
        enable | disable)
            [[ $previous != --user ]] || mapfile -t COMPREPLY < <(compgen -u -- "$current")
            [[ $previous != --user ]] || return
            [[ $previous != --options ]] || return
            words='--dry-run --user --all --help'
            [[ ${COMP_WORDS[1]} != enable ]] || words='--dry-run --user --options --help'
            [[ $current == -* ]] || words=$(cd /etc/pam.d 2>/dev/null && echo *)
            ;;
        try)
            case $previous in
            --confdir) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
            --password-fd) return ;;
            esac
            words='--password --password-fd --confdir --color --help'
            if [[ $current != -* && $previous == try ]]; then
                words=$(cd /etc/pam.d 2>/dev/null && echo *)
            elif [[ $current != -* ]]; then
                mapfile -t COMPREPLY < <(compgen -u -- "$current") && return
            fi
            ;;
        esac
    fi
    [[ ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _pykeyinit_helper pykeyinit-helper
