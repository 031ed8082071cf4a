"""How a command line names keys that are there.  Pure."""


def is_serial(word: str) -> bool:
    """Whether a word is a key's serial number: positive, 32 bits."""
    return word.isascii() and word.isdigit() and 0 < int(word[:12]) < 2**31


def is_keyring(word: str) -> bool:
    """Whether it may be a keyring: a special name, as keyctl(1) has it, or a serial number."""
    return word in ("@t", "@p", "@s", "@u", "@us") or is_serial(word)
