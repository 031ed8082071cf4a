#!/bin/sh
# kvm.sh KERNEL: say "kvm" where a kernel boots with it, else "tcg".  By trying: /dev/kvm may
# be there and kill Debian's kernels all the same, and qemu hangs then.  VM_ACCEL overrules.
set -eu
if [ -n "${VM_ACCEL:-}" ]; then
    echo "$VM_ACCEL"
    exit 0
fi
# Without a root file system a kernel that runs ends in a panic, and says so.
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
