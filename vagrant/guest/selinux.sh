#!/bin/sh
# selinux.sh on                    load the policy, label the files, and confine carol; print the
#                                  command that runs a program as init does; nothing if it fails
# selinux.sh first|last SERVICE    put pam_selinux.so open before, or after, the line of the keyring
# selinux.sh back SERVICE          the service's file as it was
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
file=/etc/pam.d/${2:-}
kept=/root/pam.d-${2:-}
open='session required pam_selinux.so open'
keyring='^session.*keyinit'

case $1 in
on)
    load_policy -i >&2 || exit 0
    contexts=/etc/selinux/default/contexts/files/file_contexts
    # What logins need where the policy is enforced.
    setfiles -F "$contexts" /usr /bin /sbin /lib /lib64 /etc /home >/dev/null 2>&1 || :
    chcon -R -t bin_t /vm
    echo carol:user_u:s0 >>/etc/selinux/default/seusers
    echo runcon system_u:system_r:init_t:s0
    ;;
first | last)
    [ -e /sys/fs/selinux/enforce ] || {
        echo 'SELinux is not on'
        exit 1
    }
    cp -a "$file" "$kept"
    grep -v '^session.*pam_selinux.so.*open' "$kept" |
        awk -v keyring="$keyring" -v open="$open" -v where="$1" '
            $0 ~ keyring && where == "first" { print open }
            { print }
            $0 ~ keyring && where == "last" { print open }
        ' >"$file"
    ;;
back)
    cp -a "$kept" "$file"
    ;;
esac
