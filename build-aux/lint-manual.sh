#!/bin/sh
# lint-manual.sh PAGE...: print mandoc's warnings about manual pages, without those about missing
# manual pages of this machine.
set -eu
! mandoc -Tlint "$@" 2>&1 | grep -v -e 'mandoc.db lacks' -e 'referenced manual not found'
