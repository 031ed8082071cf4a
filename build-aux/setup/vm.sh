# shellcheck shell=sh disable=SC2086,SC2154
# vm [--fast [--arch ARCH|--selinux]|--matrix] [SUITE...]: real logins on machines; see
# vagrant/harness.

need_root vm
need python3
cd "$here" || exit
export PYTHONPATH="$here/vagrant"
case " $* " in
*" -h "* | *" --help "*) exec python3 -P -m harness --help ;;
esac
# What it does not know ends it here, before anything is installed.
architectures=$(python3 -P -c 'from harness.__main__ import arguments; print(*arguments().arch)' "$@")
for architecture in $architectures; do
    machines="$machines $(emulating "$architecture")"
done
case " $* " in
*" --fast "*) need $machines ;;
*" --matrix "*) need $machines $vagrant ;;
*" --report "*) ;; # of earlier runs
*) need $machines $vagrant ;;
esac
exec python3 -P -m harness "$@"
