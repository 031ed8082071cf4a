# shellcheck shell=sh
# common.sh: what the commands of ./setup share.  They read it first.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "setup: $*"
    exit 1
}

# An unknown word is an error, before anything is done.
unknown() {
    say "setup: $*; ./setup --help lists what there is"
    exit 2
}

# no_words COMMAND WORD...: a command that takes no words got some.
no_words() {
    [ $# = 1 ] || unknown "$1: unknown word: $2"
}

need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root: sudo ./setup $1"
}
