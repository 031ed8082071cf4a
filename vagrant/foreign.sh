# shellcheck shell=sh disable=SC2154
# foreign.sh: let this kernel run programs of $architecture, by qemu's emulation of a processor;
# read by root.sh, as root and in a mount namespace of its own.  Until the shell ends: the entry
# has a name of this process, so that others that are there, or come meanwhile, are left alone.

# elf CLASS ORDER TYPE MACHINE: the first 20 bytes of a program, as binfmt_misc takes them.
elf() {
    printf '\\x7fELF\\x%s\\x%s\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00%s%s' "$@"
}

case $architecture in
"$(dpkg --print-architecture)" | i386) processor='' ;;
arm64) processor=aarch64 program=$(elf 02 01 '\x02\x00' '\xb7\x00') ;;
armhf) processor=arm program=$(elf 01 01 '\x02\x00' '\x28\x00') ;;
ppc64el) processor=ppc64le program=$(elf 02 01 '\x02\x00' '\x15\x00') ;;
riscv64) processor=riscv64 program=$(elf 02 01 '\x02\x00' '\xf3\x00') ;;
s390x) processor=s390x program=$(elf 02 02 '\x00\x02' '\x00\x16') ;;
*)
    echo "root.sh: no such architecture: $architecture" >&2
    exit 2
    ;;
esac

# A program is of type 2, or 3 where it can be loaded anywhere; the rest is to be the same, save
# for the byte of the system's name.
case $processor in
s390x) type='\xff\xfe' ;;
*) type='\xfe\xff' ;;
esac
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff'"$type"'\xff\xff'

if [ -n "$processor" ]; then
    binfmt=/proc/sys/fs/binfmt_misc
    entry=pykeyinit-$architecture-$$
    [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
    # F: the kernel opens the emulator now, so that it need not be in the root file system.
    trap 'echo -1 >"$binfmt/$entry"' EXIT
    trap 'exit 130' INT TERM HUP
    printf ':%s:M::%s:%s:%s:F\n' "$entry" "$program" "$mask" "/usr/bin/qemu-$processor-static" \
        >$binfmt/register
fi
