#!/bin/sh
# uninstall.sh: remove from $DESTDIR exactly the files of install.sh.  On this
# machine, first undo `pykeyinit-helper enable`: without the module its lines do
# nothing, and logins would have no session keyring.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$here/build-aux/paths.sh"
. "$here/build-aux/pam-lines.sh"

if [ ! -f "$DESTDIR$manifest" ]; then
    echo "uninstall: nothing of ours in $DESTDIR$prefix: there is no $DESTDIR$manifest" >&2
    echo "uninstall: if it was installed with another PREFIX or DESTDIR, give the same again" >&2
    exit 1
fi

# Before anything is changed, and again of what `disable` has put back or left.
refuse_if_deadly() {
    deadly=$(lines deadly "$@")
    [ -n "$deadly" ] || return 0
    echo "uninstall: nothing was removed, for nobody could log in through these lines without it:" >&2
    echo "$deadly" >&2
    echo "uninstall: remove them, or make them \"optional\"; then uninstall again" >&2
    exit 1
}

if [ -z "$DESTDIR" ]; then
    refuse_if_deadly by-hand
    status=0
    "$prefix/bin/pykeyinit-helper" disable --all || status=$?
    case $status in
    0) ;;
    1) echo "uninstall: not everything is as it was before pykeyinit-helper enable" >&2 ;;
    *) give_back ;; # it did not run
    esac
    refuse_if_deadly
    rm -rf /var/lib/pykeyinit-helper
fi
list=$(cat "$DESTDIR$manifest") # which is on its own list
printf '%s\n' "$list" | remove_listed
echo "Removed from $DESTDIR$prefix."
[ -z "$DESTDIR" ] || exit 0
left=$(lines)
[ -z "$left" ] || cat <<END
These lines do nothing from now on, but for a message in the log:
$left
END
