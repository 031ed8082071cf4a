# fish completion for pykeyinit-helper(8)

function __pykeyinit_helper_is
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

# Whether PROGRAM of `run` has begun: from there on it is that program's command line.
function __pykeyinit_helper_program_at
    set -l words (commandline -opc)
    set -l number 3
    while test $number -le (count $words)
        switch $words[$number]
            case --session --link --user --tag --credential --credential-timeout
                set number (math $number + 2)
            case --
                echo (math $number + 1)
                return
            case '-*'
                set number (math $number + 1)
            case '*'
                echo $number
                return
        end
    end
    return 1
end

function __pykeyinit_helper_options
    __pykeyinit_helper_is run; and not __pykeyinit_helper_program_at >/dev/null
end

function __pykeyinit_helper_rest
    set -l begins (__pykeyinit_helper_program_at)
    set -l words (commandline -opc) (commandline -ct)
    if test -z "$begins" # the program itself
        set begins (count $words)
        test -n "$words[-1]"; and not string match -q -- '-*' $words[-1]; or return
    end
    complete --do-complete=(string join ' ' -- (string escape -- $words[$begins..-2]) $words[-1])
end

function __pykeyinit_helper_services
    string replace -r '.*/' '' -- /etc/pam.d/*
end

set -l it complete -c pykeyinit-helper
set -l first 'test (count (commandline -opc)) -eq 1'

$it -f
$it -n $first -a run -d 'start a program with the session keyring that it should have'
$it -n $first -a show -d 'the keyrings of this process, as a tree'
$it -n $first -a explain -d 'why a key is found or not, and what mends it'
$it -n $first -a sessions -d 'all session keyrings of this machine, by user'
$it -n $first -a watch -d 'what happens to a key or in a keyring'
$it -n $first -a adopt -d 'give the calling shell a good session keyring'
$it -n $first -a try -d 'open and close a real PAM session, and show its keyrings'
$it -n $first -a check -d 'what is wrong with the keyrings of the logins here'
$it -n $first -a enable -d 'put pam_pykeyinit into the stack of a service'
$it -n $first -a disable -d 'take it out again'
$it -n $first -l version -d 'print the version'
$it -n 'not __pykeyinit_helper_is run; or __pykeyinit_helper_options' -s h -l help -d 'print a help text'

set -l run __pykeyinit_helper_options
$it -n $run -l session -x -a 'keep new user-session name=' -d 'choose the session keyring'
$it -n $run -l link -x -a 'user user-session persistent none' -d 'what to link into it'
$it -n $run -l user -x -a '(__fish_complete_users)' -d 'become this user first'
$it -n $run -l tag -x -d 'leave a key with this text'
$it -n $run -l credential -r -F -d 'add a key with the content of a file: NAME=FILE'
$it -n $run -l credential-timeout -x -d 'let these keys expire: 90, 10m, 2h, 1d'
$it -n $run -l revoke-on-exit -d 'revoke the keyring when the program has ended'
$it -n $run -l new-session -d 'give it no control of the terminal'
$it -n $run -l strict -d 'do not start the program where the kernel refuses something'
$it -n $run -l quiet -d 'no warnings'
$it -n $run -l debug -d 'say each step'
$it -n '__pykeyinit_helper_is run' -a '(__pykeyinit_helper_rest)'

set -l is __pykeyinit_helper_is
$it -n "$is show explain sessions try check" -l color -x -a 'auto always never' -d 'set off what is wrong'
$it -n "$is show explain sessions watch check" -l json -d 'for programs'
$it -n "$is show" -l dot -d 'for Graphviz'
$it -n "$is show watch" -a '@t @p @s @u @us'
$it -n "$is explain" -a 'user: keyring: logon: @t @p @s @u @us'
$it -n "$is try" -l password -d 'authenticate, with a password from the terminal'
$it -n "$is try" -l password-fd -x -d 'authenticate, with a password from a descriptor'
$it -n "$is try" -l confdir -x -a '(__fish_complete_directories)' -d 'instead of /etc/pam.d'
$it -n "$is try; and test (count (commandline -opc)) -eq 2" -a '(__pykeyinit_helper_services)'
$it -n "$is try; and test (count (commandline -opc)) -gt 2" -a '(__fish_complete_users)'
$it -n "$is check" -l root -x -a '(__fish_complete_directories)' -d 'the folder of another system'
$it -n "$is check" -l ignore -x -d 'leave out a rule, or RULE:SERVICE'
$it -n "$is enable" -l options -x -d 'the words of the line'
$it -n "$is disable" -l all -d 'every service that enable has changed'
$it -n "$is enable disable" -l dry-run -d 'print the difference, and change nothing'
$it -n "$is enable disable" -l user -x -a '(__fish_complete_users)' -d 'whose the trial session is'
$it -n "$is enable disable" -a '(__pykeyinit_helper_services)'
