"""The options of a PAM line, compared with a model of the manual page."""

import re

from pam_pykeyinit import options
from pam_pykeyinit.policies import naming
from pam_pykeyinit.user import User

MODULES = ("pam_pykeyinit.options", "pam_pykeyinit.policies.words")
WORDS = (
    "debug", "force", "revoke", "\n", "=", ",", "%", "%%", "%u", "%U", "%s", "name=%u", "name=",
    "link=user", "link=user-session,persistent", "link=none", "revoke=never", "revoke=cred",
    "revoke=90", "revoke=10m", "revoke=1d", "minimum_uid=1000", "ignore_root", "refresh", "tag",
    "on_error=degrade", "on_error=fail", "foreign=replace", "foreign=keep", "quota_warn=80",
    "quota_warn=100", "minimum_uid=4294967294", "revoke=2147483647", "4294967295", "2147483648",
    "0", "s", "m", "h", "d", "_ses", ".", "ä", "٣",
)  # fmt: skip

_LINKS = ("user", "user-session", "persistent")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_CHOICES = {"on_error": ("degrade", "fail", "degrade"), "foreign": ("replace", "keep", "replace")}
_NUMBERS = {"minimum_uid": (0, 2**32 - 2), "quota_warn": (1, 100)}


class _Model:
    """The meaning of a line, option by option; a later one overrides an earlier one."""

    def __init__(self) -> None:
        self.asked: dict[str, object] = {
            "degrade": False, "grace": 0, "ignore_root": False, "link": ("user",),
            "minimum_uid": 0, "name": "", "quota_warn": 0, "refresh": False, "replace": False,
            "revoke": "never", "tag": False,
        }  # fmt: skip
        self.wrong: list[tuple[str, bool]] = []  # an option, and whether its name is known

    def take(self, word: str) -> None:
        if word in ("debug", "force"):
            return
        if word in ("ignore_root", "refresh", "tag"):
            self.asked[word] = True
        elif word == "revoke":
            self.asked |= {"revoke": "close", "grace": 0}
        else:
            name, _, value = word.partition("=")
            take = {"name": self._name, "link": self._link, "revoke": self._revoke}.get(name)
            if name in _CHOICES:
                field, *allowed = _CHOICES[name]
                self.asked[field] = value == allowed[1]
                good = value in allowed
            elif name in _NUMBERS:
                good = self._number(name, value)
            else:
                good = take is not None and take(value)
            if not good:
                known = take is not None or name in _CHOICES or name in _NUMBERS
                self.wrong.append((word, known))

    def _name(self, value: str) -> bool:
        good = re.fullmatch(r"([^%]|%[%uUs])+", value, re.DOTALL) is not None
        self.asked["name"] = value if good else ""
        return good

    def _link(self, value: str) -> bool:
        if value == "none":
            self.asked["link"] = ()
            return True
        good = set(value.split(",")) <= set(_LINKS)
        chosen = tuple(kind for kind in _LINKS if kind in value.split(","))
        self.asked["link"] = chosen if good else ("user",)
        return good

    def _revoke(self, value: str) -> bool:
        if value in ("never", "cred"):
            self.asked |= {"revoke": value, "grace": 0}
            return True
        time = re.fullmatch("([0-9]{1,10})([smhd]?)", value)
        grace = int(time[1]) * _UNITS[time[2]] if time else 0
        good = 0 < grace < 2**31
        self.asked |= {"revoke": "close", "grace": grace if good else 0}
        return good

    def _number(self, name: str, value: str) -> bool:
        least, most = _NUMBERS[name]
        good = bool(re.fullmatch("[0-9]{1,%d}" % len(str(most)), value))
        good = good and least <= int(value) <= most
        self.asked[name] = int(value) if good else 0
        return good


def check(data: bytes) -> None:
    """Two lines, a user and a service, then one option on each line."""
    text = data.replace(b"\0", b"").decode("utf-8", "surrogateescape")  # as C strings
    user, service, *words = (*text.split("\n"), "", "")
    del words[-2:]
    model = _Model()
    for word in words:
        model.take(word)
    asked = options.parse(words)
    assert (asked.debug, asked.force) == ("debug" in words, "force" in words), words
    assert asked.revoke == (model.asked["revoke"] != "never"), (words, asked.revoke)
    seen = {name: getattr(asked.policy, name) for name in model.asked} if asked.policy else None
    plain = set(words) <= {"debug", "force", "revoke"}
    assert seen == (None if plain else model.asked), (words, seen)
    assert len(asked.wrong) == len(model.wrong), (words, asked.wrong)
    for line, (word, known) in zip(asked.wrong, model.wrong, strict=True):
        reported = f"{word}: must be " if known else f"unknown option: {word}"
        assert line.startswith(reported) if known else line == reported, (words, line)
    if asked.policy and asked.policy.name:
        _check_name(asked.policy.name, user, service)


def _check_name(template: str, user: str, service: str) -> None:
    values = {"%u": user, "%U": "4711", "%s": service, "%%": "%"}
    name = re.sub("%.", lambda found: values[found[0]], template, flags=re.DOTALL)
    assert naming.expand(template, User(user, 4711, 1), service) == name, (template, name)
    length = len(name.encode("utf-8", "surrogateescape"))
    good = bool(re.match("[^._]", name, re.DOTALL)) and length < 4096
    assert bool(naming.refusal(name)) != good, name
