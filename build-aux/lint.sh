#!/bin/sh
# lint.sh: run the linters, which must be clean before a commit.  Most come from PyPI, into a
# folder of their own, in fixed versions, so that the meaning of "clean" does not change.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
tools=build/lint
if [ ! -x "$tools/bin/reuse" ]; then # installed last
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check \
        --no-warn-script-location ruff==0.6.9 mypy==1.11.2 pytest==7.4.4 hypothesis==6.112.1 \
        codespell==2.2.6
    "$tools/bin/pip" install --quiet --disable-pip-version-check check-jsonschema==0.39.0
    "$tools/bin/pip" install --quiet --disable-pip-version-check reuse==6.2.0
fi
"$tools/bin/ruff" check --quiet .
"$tools/bin/ruff" format --quiet --check --diff .
"$tools/bin/mypy" --no-error-summary
git ls-files --cached --others --exclude-standard | while read -r file; do
    case $(head -n 1 "$file" 2>/dev/null | tr -d '\000') in
    '#!/bin/sh'* | '# shellcheck shell=sh'*) echo "$file" ;;
    esac
done | xargs shellcheck -x
git ls-files '*.[1-8]' | xargs build-aux/lint-manual.sh
git ls-files | xargs "$tools/bin/codespell"
git ls-files '.github/workflows/*' |
    xargs "$tools/bin/check-jsonschema" --quiet --builtin-schema vendor.github-workflows
# In a copy of what git would take: builds leave files that are nobody's.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
build-aux/copy.sh "$tree"
"$tools/bin/reuse" --root "$tree" lint --quiet || "$tools/bin/reuse" --root "$tree" lint --lines
echo "lint: clean"
