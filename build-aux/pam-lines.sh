# shellcheck shell=sh
# Sourced by uninstall.sh; debian's prerm has the same code, because it cannot use this tree.

# Print PAM lines that name the module, as FILE: LINE.  "by-hand" leaves out lines between the
# comments of `pykeyinit-helper enable`; "deadly" prints only those that fail a login without the
# module: all but `optional`, `-session` and brackets that ignore it.
lines() {
    find /etc/pam.d /etc/pam.conf -type f ! -name '*.dpkg-*' 2>/dev/null | sort | while read -r file; do
        awk -v file="$file" -v which=" $* " '
            /^# pykeyinit-helper: what enable put here/ { inside = which ~ / by-hand / }
            /^# pykeyinit-helper: end/ { inside = 0 }
            inside { next }
            held { $0 = held $0; held = "" }
            /\\$/ { held = substr($0, 1, length($0) - 1) " "; next }
            !/^[^#]*pam_pykeyinit\.(so|py)/ { next }
            { control = $0 }
            file == "/etc/pam.conf" { sub(/^[ \t]*[^ \t]+/, "", control) } # the service
            which !~ / deadly / ||
                control !~ /^[ \t]*(-|[a-z]+[ \t]+optional[ \t]|.*(default|module_unknown)=ignore)/ {
                print "  " file ": " $0
            }' "$file"
    done
}

# Do what `disable --all` does, if pykeyinit-helper does not run: the lines from before
# `enable` are between its comments.  A file with other lines between them is not changed.
give_back() {
    find /etc/pam.d -type f ! -name '.*' ! -name '*~' ! -name '*.dpkg-*' -exec \
        grep -l '^# pykeyinit-helper: what enable put here' {} + | while read -r file; do
        new=${file%/*}/.${file##*/}.pykeyinit-helper
        first=/var/lib/pykeyinit-helper/pam.d/${file##*/}
        cp -a "$file" "$new" # for its owner, mode and attributes
        if ! awk '
            !inside && /^# pykeyinit-helper: what enable put here/ { inside = 1; next }
            !inside { print; next }
            /^# pykeyinit-helper: end;/ { inside = 0; next }
            sub(/^#was: /, "") { print; next }
            !/pam_pykeyinit\.(so|py)/ || /\\$/ { bad = 1; exit }
            END { exit bad || inside }' "$file" >"$new"; then
            rm -f "$new"
            echo "$file: not changed: more stands between the comments of enable" >&2
            continue
        fi
        # The last line of the copy may have no end.
        [ ! -f "$first" ] || [ "$(cat "$new")" != "$(cat "$first")" ] || cat "$first" >"$new"
        if grep -q '^# pykeyinit-helper: what enable put here, into a copy' "$file" &&
            cmp -s "$new" "/usr/lib/pam.d/${file##*/}"; then
            rm -f "$new" "$file"
        else
            mv -f "$new" "$file"
        fi
        ! cmp -s "$file" "$first" || rm -f "$first"
        echo "$file: disabled"
    done
}
