"""Encrypted folders: fscrypt and e4crypt on a real ext4, and the passphrases of eCryptfs."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.sessions import Opener, Session, Way
from support import world

pytestmark = pytest.mark.privileged


def do(*words: str | Path) -> str:
    """Run a command as root; return its output."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done)
    return done.stdout.strip()


def loop_device(image: Path) -> str:
    """A loop device with this file; until now the world's /dev has none."""
    control = Path("/dev/loop-control")
    if not control.exists():
        do("mknod", control, "c", "10", "237")
    for _ in range(5):  # another process may take the same one
        device = do("losetup", "--find").removesuffix(" (lost)")  # Debian 13, without a node
        if not Path(device).exists():
            do("mknod", device, "b", "7", device.removeprefix("/dev/loop"))
        with contextlib.suppress(AssertionError):
            do("losetup", device, image)
            return device
    raise AssertionError("every loop device is taken")


@pytest.fixture(scope="module")
def volume(place: Path) -> Iterator[Path]:
    """An ext4 with support for encrypted folders."""
    image, mounted = place / "image", place / "volume"
    image.touch()
    do("truncate", "--size=32M", image)
    do("mkfs.ext4", "-q", "-O", "encrypt", image)
    mounted.mkdir()
    try:
        device = loop_device(image)
    except AssertionError as reason:
        world.leave_out(f"this machine has no loop device: {reason}")
    try:
        done = subprocess.run(
            ["mount", "-t", "ext4", device, mounted], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            world.leave_out(f"this kernel has no ext4 that encrypts: {done.stderr}")
        yield mounted
        do("umount", "--lazy", mounted)
    finally:
        do("losetup", "--detach", device)


@pytest.fixture(scope="module")
def fscrypt(volume: Path, etc: Path, environment: dict[str, str]) -> Path:
    """The volume, set up for fscrypt with policies of version 1, whose keys are in keyrings."""
    if subprocess.run(["mountpoint", "-q", "/"], check=False).returncode != 0:
        world.leave_out("/ is not a mount point here, and fscrypt looks for it")
    fscrypt = [*(f"{n}={v}" for n, v in environment.items()), "fscrypt", "setup", "--quiet"]
    do("env", *fscrypt, "--force", "--time=1ms")
    do("env", *fscrypt, "--all-users", volume)
    assert set_policy_version(etc, "1") == "2"
    return volume


def set_policy_version(etc: Path, version: str) -> str:
    """Let fscrypt create new policies of this version; return the version before."""
    configuration = etc / "fscrypt.conf"
    content = json.loads(configuration.read_text())
    before, content["options"]["policy_version"] = content["options"]["policy_version"], version
    configuration.write_text(json.dumps(content))
    return str(before)


def forget(volume: Path) -> None:
    """Make the kernel forget what it has decrypted."""
    device = do("findmnt", "--noheadings", "--output=SOURCE", volume)
    do("umount", volume)
    do("mount", "-t", "ext4", device, volume)


@pytest.fixture
def secret(volume: Path) -> Iterator[Path]:
    """An empty folder of alice on it."""
    folder = volume / "alice"
    folder.mkdir()
    do("chown", "alice:alice", folder)
    yield folder
    do("rm", "-rf", folder)


def reads(session: Session, secret: Path) -> bool:
    """Whether a session can read the file of the tests."""
    return session(f"cat {secret}/file").output == "hello\n"


def writes(session: Session, secret: Path) -> str:
    """The result of creating a file."""
    return session(f"echo new >{secret}/new.$$").output


NO_KEY = "Required key not available"


def encrypted(session: Session, secret: Path, folder: Path, *, name: str) -> str:
    """Let fscrypt encrypt the folder, and put a file into it; the option that names the key."""
    key = f"--key={folder}/key"
    session.do(f"head -c 32 /dev/urandom >{folder}/key")
    session.do(f"fscrypt encrypt {secret} --source=raw_key --name={name} {key} --quiet")
    assert session.do(f"echo hello >{secret}/file") == ""
    return key


def test_fscrypt(way: Way, opened: Opener, fscrypt: Path, secret: Path, folder: Path) -> None:
    """Its key is in the user keyring, which must be linked into the session keyring."""
    first, second = opened(way), opened(way)
    key = encrypted(first, secret, folder, name=str(way))
    assert (reads(first, secret), reads(second, secret)) == (True, True)

    second(f"fscrypt lock {secret} --drop-caches=false")
    forget(fscrypt)
    assert (reads(first, secret), reads(second, secret)) == (False, False)
    refused = second(f"keyctl session - fscrypt unlock {secret} {key}")
    assert refused.status != 0
    assert "is not linked into the session" in refused.output
    second.do(f"fscrypt unlock {secret} {key}")
    assert (reads(first, secret), reads(second, secret)) == (True, True)

    first.logout(revokes=way.revokes)
    assert (NO_KEY in writes(first, secret)) == way.revokes
    assert writes(second, secret) == writes(opened(way), secret) == ""
    second(f"fscrypt lock {secret} --drop-caches=false")


@pytest.fixture
def _version_2(fscrypt: Path, etc: Path) -> Iterator[None]:
    before = set_policy_version(etc, "2")
    yield
    set_policy_version(etc, before)


@pytest.mark.usefixtures("_version_2")
def test_fscrypt_2(way: Way, opened: Opener, secret: Path, folder: Path) -> None:
    """Its key is in the file system, and in no keyring of a session."""
    first, second = opened(way), opened(way)
    key = encrypted(first, secret, folder, name=f"{way}-2")
    assert (reads(first, secret), reads(second, secret)) == (True, True)

    second.do(f"fscrypt lock {secret}")
    assert (reads(first, secret), reads(second, secret)) == (False, False)
    second.do(f"keyctl session - fscrypt unlock {secret} {key}")
    assert (reads(first, secret), reads(second, secret)) == (True, True)

    first.logout(revokes=way.revokes)
    assert writes(first, secret) == writes(second, secret) == writes(opened(way), secret) == ""
    second.do(f"fscrypt lock {secret}")


def test_e4crypt(way: Way, opened: Opener, secret: Path) -> None:
    """Its key is in the session keyring: each session must add it."""
    first, second = opened(way), opened(way)
    salt = "-S s:pykeyinit"
    first.do(f"e4crypt add_key {salt} {secret}", "passphrase\n")
    assert writes(first, secret) == ""
    assert NO_KEY in writes(second, secret)
    second.do(f"e4crypt add_key {salt}", "passphrase\n")
    assert writes(second, secret) == ""
    first.logout(revokes=way.revokes)
    assert (NO_KEY in writes(first, secret)) == way.revokes
    assert NO_KEY in writes(opened(way), secret)


def test_ecryptfs_passphrase(way: Way, opened: Opener) -> None:
    """Its key is in the user keyring, whatever it prints: all sessions find it."""
    first, second = opened(way), opened(way)
    added = first.do("ecryptfs-add-passphrase -", "passphrase")
    (signature,) = re.findall(r"sig \[(\w+)\]", added)
    find = f"keyctl search @s user {signature}"
    assert first(find).status == second(find).status == 0
    first.logout(revokes=way.revokes)
    assert first(find).status == (1 if way.revokes else 0)
    assert opened(way)(f"keyctl unlink $({find}) @u").status == 0
