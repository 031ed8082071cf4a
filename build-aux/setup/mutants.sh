# shellcheck shell=sh disable=SC2086,SC2154
# mutants [--every N] [FILE...]: see build-aux/mutants.sh.

for word in "$@"; do # --every N, or a name of a file
    case $word in
    loader | --every | [0-9]*) ;;
    *) [ -n "$(find "$here/pam_pykeyinit" -name "$(basename -- "$word" .py).py")" ] ||
        unknown "mutants: there is no such file of the core: $word" ;;
    esac
done
need_root mutants
need $runtime $testing
exec "$here/build-aux/mutants.sh" "$@"
