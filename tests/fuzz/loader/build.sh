#!/bin/sh
# build.sh FOLDER: build the loader with coverage counters and the address and undefined
# sanitizers, and the program that fuzzes it, both below FOLDER.  In a world
# (build-aux/world.sh): the loader runs the package that is installed there.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the Python that the loader is built for
export PATH
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd)
folder=$1
package=$(python3 -I -c 'import pam_pykeyinit as p; print(p.__path__[0])')

# The sanitizers' own functions are in the program, so the module is linked without them; and
# so is the replacement of syscall(2): see refuse.c.
CC=clang CFLAGS='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all -g -Dsyscall=refusable_syscall' \
    meson setup -Db_sanitize=address,undefined "-Dpython.purelibdir=${package%/*}" \
    "$folder/build" "$here"
ninja -C "$folder/build"
# The program's own code is not counted, only the loader's.
for part in harness watch refuse elsewhere; do
    clang -g -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -c -o "$folder/$part.o" \
        "$here/tests/fuzz/loader/$part.c"
done
# The libraries that it loads must find its functions: see refuse.c.
clang -g -fsanitize=fuzzer,address,undefined -rdynamic -o "$folder/harness" \
    "$folder/harness.o" "$folder/watch.o" "$folder/refuse.o" "$folder/elsewhere.o" -lpam
