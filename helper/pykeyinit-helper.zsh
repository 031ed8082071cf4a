#compdef pykeyinit-helper
# zsh completion for pykeyinit-helper(8)

_pykeyinit_helper_services() {
    local -a services
    services=(/etc/pam.d/*(N:t))
    _describe -t services service services
}

_pykeyinit_helper_session() {
    local -a sessions=(
        'keep:what is in place'
        'new:a new one, with the user keyring in it'
        'user-session:the user-session keyring'
    )
    _alternative 'sessions:session keyring:(($sessions))' 'names:name:(name=)'
}

_pykeyinit_helper_credential() {
    if compset -P 1 '*='; then
        _files
    else
        _message name
    fi
}

_pykeyinit_helper_colour='--color=[set off what is wrong]:when:(auto always never)'

_pykeyinit_helper() {
    local -a subcommands=( # zsh has a parameter commands
        'run:start a program with the session keyring that it should have'
        'show:the keyrings of this process, as a tree'
        'explain:why a key is found or not, and what mends it'
        'sessions:all session keyrings of this machine, by user'
        'watch:what happens to a key or in a keyring'
        'adopt:give the calling shell a good session keyring'
        'try:open and close a real PAM session, and show its keyrings'
        'check:what is wrong with the keyrings of the logins here'
        'enable:put pam_pykeyinit into the stack of a service'
        'disable:take it out again'
    )
    local -a help=('(- *)'{-h,--help}'[print a help text]')
    local -a state line words_before
    local context curcontext=$curcontext
    typeset -A opt_args

    _arguments -C -A '-*' $help '(- *)--version[print the version]' \
        '1:command:->command' '*::argument:->argument' && return
    if [[ $state == command ]]; then
        _describe -t commands command subcommands
        return
    fi
    curcontext=${curcontext%:*}-$words[1]:
    case $words[1] in
    run)
        _arguments -S -A '-*' $help \
            '--session[choose the session keyring]:session keyring:_pykeyinit_helper_session' \
            '--link[what to link into it]:keyrings:_values -s , keyring user user-session persistent none' \
            '--user[become this user first]:user:_users' \
            '--tag[leave a key with this text]:text: ' \
            '*--credential[add a key with the content of a file]:NAME=FILE:_pykeyinit_helper_credential' \
            '--credential-timeout[let these keys expire]:time, such as 90, 10m, 2h, 1d: ' \
            '--revoke-on-exit[revoke the keyring when the program has ended]' \
            '--new-session[give it no control of the terminal]' \
            '--strict[do not start the program where the kernel refuses something]' \
            '--quiet[no warnings]' \
            '--debug[say each step]' \
            '(-)1:program: _command_names -e' '*::argument:_normal'
        ;;
    show)
        _arguments $help $_pykeyinit_helper_colour '(--dot)--json[for programs]' \
            '(--json)--dot[for Graphviz]' '1:keyring:(@t @p @s @u @us)'
        ;;
    explain)
        _arguments $help $_pykeyinit_helper_colour \
            '--json[for programs]' '1:key:_values -S "" key user\: keyring\: logon\: @t @p @s @u @us'
        ;;
    sessions) _arguments $help $_pykeyinit_helper_colour '--json[for programs]' ;;
    watch) _arguments $help '--json[for programs]' '1:key:(@t @p @s @u @us)' ;;
    adopt) _arguments $help ;;
    try)
        _arguments $help $_pykeyinit_helper_colour \
            '(--password-fd)--password[authenticate, with a password from the terminal]' \
            '(--password)--password-fd[authenticate, with a password from a descriptor]:descriptor: ' \
            '--confdir[instead of /etc/pam.d]:folder:_files -/' \
            '1:service:_pykeyinit_helper_services' '2:user:_users'
        ;;
    check)
        _arguments $help $_pykeyinit_helper_colour '--json[for programs]' \
            '*--ignore[leave out a rule, or RULE\:SERVICE]:rule: ' \
            '--root[the folder of another system]:folder:_files -/'
        ;;
    enable)
        _arguments $help '--dry-run[print the difference, and change nothing]' \
            '--user[whose the trial session is]:user:_users' \
            '--options[the words of the line]:words: ' \
            '*:service:_pykeyinit_helper_services'
        ;;
    disable)
        _arguments $help '--dry-run[print the difference, and change nothing]' \
            '--user[whose the trial session is]:user:_users' \
            '--all[every service that enable has changed]' \
            '*:service:_pykeyinit_helper_services'
        ;;
    esac
}

_pykeyinit_helper "$@"
