#!/bin/sh
# lint-manual.sh PAGE...: what mandoc finds wrong with manual pages.  Which other manuals this
# machine has is not the page's fault.
set -eu
! mandoc -Tlint "$@" 2>&1 | grep -v -e 'mandoc.db lacks' -e 'referenced manual not found'
