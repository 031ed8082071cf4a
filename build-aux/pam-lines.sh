# shellcheck shell=sh
# Sourced by uninstall.sh; debian's prerm has the same, for it has to do without this tree.

# Where PAM lines name the module, as FILE: LINE.  "by-hand" leaves out what is between the
# comments of `pykeyinit-helper enable`; "deadly" asks for those alone that fail a login when the
# module is gone: all but `optional`, `-session` and brackets that ignore it.
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
