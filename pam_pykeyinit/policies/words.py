"""Parse the options that pam_keyinit(8) does not have into a Policy.  Pure.

Imported only for a line with such an option.  POLICIES in pam_pykeyinit(8) describes them.  An
invalid value never makes a login fail: it gives a line for the log, and the default is used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

AT_CLOSE, AT_DELETE, NEVER = "close", "cred", "never"
DAY = 86400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY}
_LONGEST = 2**31 - 1  # seconds; the kernel takes an unsigned int
_MOST_UID = 2**32 - 2  # 2**32 - 1 stands for no uid
_LINKS = ("user", "user-session", "persistent")
_SWITCHES = ("ignore_root", "refresh", "tag")


class Policy:
    """The options of one line, each with its default.

    `grace` is the grace period in seconds, 0 for none; `quota_warn` is in percent, 0 for never.
    """

    __slots__ = (
        "degrade",
        "grace",
        "ignore_root",
        "link",
        "minimum_uid",
        "name",
        "quota_warn",
        "refresh",
        "replace",
        "revoke",
        "tag",
    )

    def __init__(self) -> None:
        self.name = ""
        self.link: tuple[str, ...] = ("user",)
        self.revoke = NEVER
        self.grace = 0
        self.minimum_uid = 0
        self.ignore_root = False
        self.degrade = False
        self.replace = False
        self.tag = False
        self.refresh = False
        self.quota_warn = 0

    def leaves_out(self, uid: int) -> bool:
        """Whether the module does nothing for this user."""
        return uid < self.minimum_uid or (self.ignore_root and uid == 0)


def read(words: "list[str]") -> "tuple[Policy, tuple[str, ...]]":
    """Parse the words of a line; if two contradict each other, the last one applies.

    Returns the policy and a line for the log for each invalid word.
    """
    policy = Policy()
    wrong = []
    for word in words:
        name, _, value = word.partition("=")
        if word == "revoke":
            policy.revoke, policy.grace = AT_CLOSE, 0
        elif word in _SWITCHES:
            setattr(policy, word, True)
        elif name in _VALUES:
            take, wanted = _VALUES[name]
            if not take(policy, value):
                wrong.append(f"{word}: {wanted}")
        elif word not in ("debug", "force"):
            wrong.append(f"unknown option: {word}")
    return policy, tuple(wrong)


def number(text: str, least: int, most: int) -> "int | None":
    """A decimal number within bounds, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    found = int(text)
    return found if least <= found <= most else None


def seconds(text: str) -> "int | None":
    """A time of at least a second: 90, 90s, 10m, 2h or 1d; or None."""
    unit = _UNITS.get(text[-1:])
    count = number(text if unit is None else text[:-1], 1, _LONGEST)
    if count is None or count * (unit or 1) > _LONGEST:
        return None
    return count * (unit or 1)


def _name(policy: Policy, value: str) -> bool:
    rest = value
    for known in ("%%", "%u", "%U", "%s"):
        rest = rest.replace(known, "")
    policy.name = value if "%" not in rest else ""
    return bool(policy.name)


def _link(policy: Policy, value: str) -> bool:
    kinds = value.split(",")
    good = value == "none" or all(kind in _LINKS for kind in kinds)
    policy.link = ("user",) if not good else tuple(kind for kind in _LINKS if kind in kinds)
    return good


def _revoke(policy: Policy, value: str) -> bool:
    time = seconds(value)
    good = value in (NEVER, AT_DELETE) or time is not None
    policy.revoke = value if value in (NEVER, AT_DELETE) else AT_CLOSE
    policy.grace = time or 0
    return good


def _limit(field: str, least: int, most: int) -> "Callable[[Policy, str], bool]":
    def take(policy: Policy, value: str) -> bool:
        found = number(value, least, most)
        setattr(policy, field, found or 0)
        return found is not None

    return take


def _choice(field: str, default: str, other: str) -> "Callable[[Policy, str], bool]":
    def take(policy: Policy, value: str) -> bool:
        setattr(policy, field, value == other)
        return value in (default, other)

    return take


# The function that sets a value, and the log text for an invalid one.
_VALUES: "dict[str, tuple[Callable[[Policy, str], bool], Any]]" = {
    "foreign": (_choice("replace", "keep", "replace"), "must be keep or replace; keep is used"),
    "link": (
        _link,
        "must be some of user, user-session, persistent, with commas, or none; user is used",
    ),
    "minimum_uid": (_limit("minimum_uid", 0, _MOST_UID), "must be a user id; 0 is used"),
    "name": (
        _name,
        "must be a name, with %u, %U, %s or %% in it; the keyring is one without a name",
    ),
    "on_error": (_choice("degrade", "fail", "degrade"), "must be fail or degrade; fail is used"),
    "quota_warn": (
        _limit("quota_warn", 1, 100),
        "must be a percentage from 1 to 100; no warning is logged",
    ),
    "revoke": (
        _revoke,
        "must be never, cred, or a time such as 90, 10m, 2h, 1d; the keyring is revoked at close",
    ),
}
