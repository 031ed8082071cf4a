#!/bin/sh
# probe.sh TAG [left]: run inside a login; write the state of its keyrings to /run/vm/TAG.
# It uses only sh and keyctl(1), nothing of ours, and nothing that the scenarios break.
# It stays while TAG.hold exists.  With `left` it leaves a process, which keeps the session
# keyring; when TAG.ask appears, that process writes the keyring's state to TAG.left.
tag=$1
out=/run/vm/$tag
key=vm:$tag

look() {
    awk '/^[UG]id:|^NoNewPrivs:|^Seccomp:|^CapBnd:/ { $1 = $1; print }' /proc/self/status
    echo "home $(pwd)"
    # The tree from the session keyring on: serial, permissions, uid, gid, type, description.
    keyctl show @s 2>&1 | sed 's/^/show /'
    keyctl rdescribe @s 2>&1 | sed 's/^/session /'
    if [ -e /sys/fs/selinux/enforce ]; then
        echo "context $(tr -d '\0' </proc/self/attr/current)"
        echo "label $(keyctl security @s 2>&1)"
    fi
}

{
    look
    added=$(keyctl add user "$key" yes @u 2>&1)
    if found=$(keyctl request user "$key" 2>&1); then
        echo "request yes"
    else
        echo "request no: $found"
    fi
    keyctl unlink "$added" @u >/dev/null 2>&1
} >"$out.part"
mv "$out.part" "$out"

if [ "${2:-}" = left ]; then
    left() {
        waited=0
        while [ ! -e "$out.ask" ] && [ $waited -lt 900 ]; do
            sleep 1
            waited=$((waited + 1))
        done
        # A daemon closes the session some time after the client has disconnected.
        waited=0
        while keyctl rdescribe @s >/dev/null 2>&1 && [ $waited -lt "$(cat "$out.ask")" ]; do
            sleep 0.5
            waited=$((waited + 1))
        done
        look >"$out.left.part"
        mv "$out.left.part" "$out.left"
    }
    export out
    trap '' HUP # before the fork: a terminal may hang up as soon as this script ends
    (left) </dev/null >/dev/null 2>&1 & # without the subshell, left would keep the old descriptors
    trap - HUP
fi
while [ -e "$out.hold" ]; do
    sleep 1 # fifty processes do this concurrently, on an emulated machine
done
