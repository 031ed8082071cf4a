#!/bin/sh
# kvm.sh KERNEL: print "kvm" if a kernel boots with it, else "tcg".  The kernel is tried, because
# /dev/kvm can exist and fail with Debian's kernels, and then qemu hangs.  VM_ACCEL overrides it.
set -eu
if [ -n "${VM_ACCEL:-}" ]; then
    echo "$VM_ACCEL"
    exit 0
fi
# Without a root file system a running kernel panics, with a message.
boots() {
    timeout -s KILL 15 qemu-system-x86_64 -accel kvm -cpu host -m 256 \
        -display none -nodefaults -no-user-config -net none -no-reboot -serial stdio \
        -kernel "$1" -append 'console=ttyS0 panic=-1' </dev/null |
        grep -aq 'Unable to mount root fs'
}
if [ -w /dev/kvm ] && (boots "$1") 2>/dev/null; then
    echo kvm
else
    echo tcg
fi
