"""Generated PAM files, correct and incorrect, for the comparison with libpam."""

from hypothesis import strategies as st

from pykeyinit_helper.stacks import pamconf

INCLUDED = 3  # files that others can include; each includes only later ones
CODES = (0, 0, 0, 3, 6, 7, 12, 14, 25, 28, 99)
MODULE = "{module}"  # filled in when the module's path is known
FOLDER = "{folder}"

_space = st.sampled_from([" ", "  ", "\t", " \\\n", "\\\n\t", " \\  \n "])
_kind = st.sampled_from(
    ["session"] * 6
    + ["auth"] * 3
    + ["account", "SESSION", "-session", "-Auth", "sessions", "--auth"]
)
# No numbers of 2^31 or more: libpam before 1.6 uses their low bits.
_action = st.one_of(
    st.sampled_from(["ok", "done", "bad", "die", "ignore", "reset"]),
    st.integers(0, 4).map(str),
    st.sampled_from(["okay", "Ok", "", "-1"]),
)
_pair = st.tuples(
    st.sampled_from([*pamconf.CODES, *["success", "default", "ignore", "session_err"] * 6, "odd"]),
    st.sampled_from(["=", "=", "=", " = ", ""]),
    st.one_of(_action, st.sampled_from(["ok", "ignore", "1", "2"])),
).map("".join)
_bracketed = st.lists(_pair, max_size=4).map(lambda pairs: f"[{' '.join(pairs)}]")
_control = st.one_of(
    st.sampled_from("required requisite sufficient optional REQUIRED [optional] odd []".split()),
    _bracketed,
    _bracketed,
)
_word = st.sampled_from(
    "word|[two words]|[br\\]acket]|a]b|[x]y|ä|back\\slash|\v|[open|a[b c]".split("|")
)


@st.composite
def _module_line(draw: st.DrawFn) -> str:
    words = [draw(_kind), draw(_control), draw(st.sampled_from([MODULE] * 9 + ["/no/such.so"]))]
    words.append(f"code={draw(st.sampled_from(CODES))}")
    words += draw(st.lists(_word, max_size=3))
    if draw(st.integers(0, 29)) == 0:
        words = words[: draw(st.integers(0, 3))]
    line = ""
    for word in words:
        line += draw(_space) + word
    comment = draw(st.sampled_from([""] * 4 + [" # required pam_deny.so", "#x \\"]))
    return line.lstrip("\n") + comment


def _include_line(after: int) -> st.SearchStrategy[str]:
    names = [f"{FOLDER}/inc{n}" for n in range(after, INCLUDED)] * 4
    # Below an include of one type, a missing @include becomes a failing module whose control
    # libpam does not initialise: the result is random.
    at = st.sampled_from([*names, f"{FOLDER}/none"] if after == 0 else names or ["# none"])
    name = st.sampled_from([*names, f"{FOLDER}/none"])
    word = st.sampled_from(["include", "substack", "Include"])
    return st.one_of(
        st.builds("{} {} {}".format, _kind, word, name),
        st.builds("{} {}".format, st.sampled_from(["@include", "@INCLUDE"]), at).map(
            lambda line: line if "# none" not in line else "# none"
        ),
    )


def _file(after: int) -> st.SearchStrategy[str]:
    line = st.one_of(
        _module_line(),
        _module_line(),
        _include_line(after),
        st.sampled_from(["", "  ", "# comment", "\t# comment \\"]),
    )
    end = st.sampled_from(["\n"] * 8 + ["", "\\\n"])
    return st.builds(lambda found, last: "\n".join(found) + last, st.lists(line, max_size=7), end)


def folders() -> st.SearchStrategy[dict[str, str]]:
    """Files by name: svc, the files that it can include, and perhaps other."""
    return st.fixed_dictionaries(
        {"svc": _file(0), **{f"inc{n}": _file(n + 1) for n in range(INCLUDED)}},
        optional={"other": _file(0)},
    )
