"""Which modules a PAM service loads, read from its files, includes and all, pam.conf(5)."""

from pathlib import Path

PAM_D = Path("/etc/pam.d")

_TYPES = ("auth", "account", "password", "session")
_INCLUDES = ("include", "substack")


def modules(service: str, folder: Path) -> list[str]:
    """The modules' file names, in the order of the files; "other" where there is no file.

    Raises OSError where the service's own file cannot be read; a file that an include names
    and that is missing is libpam's to report.
    """
    found: list[str] = []
    _read(file(service, folder), folder, found, set())
    return found


def file(service: str, folder: Path) -> Path:
    """The file that libpam reads for a service, which is "other" where it has none."""
    path = folder / service.lower()  # libpam folds the name
    return path if path.exists() else folder / "other"


def loads_pam_python(found: list[str]) -> bool:
    """Whether pam_python.so is among them."""
    return any(Path(module).name == "pam_python.so" for module in found)


def _read(path: Path, folder: Path, found: list[str], seen: set[Path]) -> None:
    if path in seen:
        return
    seen.add(path)
    text = path.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "@include" and len(words) > 1:
            _include(words[1], folder, found, seen)
        elif words[0].lstrip("-") in _TYPES and len(words) > 2:
            control, rest = _control(words[1:])
            if control in _INCLUDES:
                _include(rest[0], folder, found, seen)
            elif rest:
                found.append(rest[0])


def _include(name: str, folder: Path, found: list[str], seen: set[Path]) -> None:
    """libpam 1.5 looks in /etc/pam.d only, also where it was given another folder."""
    for where in (folder, PAM_D):
        path = where / name  # an absolute name stays what it is
        if path.is_file():
            _read(path, folder, found, seen)


def _control(words: list[str]) -> tuple[str, list[str]]:
    """The control, which may be several words in brackets, and what follows it."""
    if not words[0].startswith("["):
        return words[0], words[1:]
    for number, word in enumerate(words):
        if word.endswith("]"):
            return " ".join(words[: number + 1]), words[number + 1 :]
    return words[0], []
