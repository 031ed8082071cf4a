"""sbom.py PACKAGE SECONDS: print the bill of materials of a .deb, as SPDX 2.3 in JSON.

The package with its hash, every file in it with its own, the packages that it depends on in
the versions that this machine built it with, and the Python that is linked in.  SECONDS is the
time that it is said to be of.
"""

import datetime
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

LICENSE = "GPL-2.0-or-later"


def output(*command: str) -> bytes:
    """What a command prints; CalledProcessError if it fails."""
    return subprocess.run(command, check=True, capture_output=True).stdout


def field(deb: Path, name: str) -> str:
    """A field of the package's control file, empty if it has none."""
    return output("dpkg-deb", "--field", str(deb), name).decode().strip()


def dependencies(text: str) -> list[str]:
    """The names in a Depends field; of alternatives the first."""
    return [match[1] for match in re.finditer(r"(?:^|,)\s*([a-z0-9][a-z0-9+.-]*)", text)]


def built_using(text: str) -> list[tuple[str, str]]:
    """The source packages of a Static-Built-Using field, each with its version."""
    return re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9+.-]*) \(= ([^)]+)\)", text)


def installed_version(package: str) -> str:
    """The version of a package on this machine, empty where it is not installed."""
    asked = ("dpkg-query", "-W", "-f", "${Version}", package)
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def files(deb: Path) -> list[dict[str, Any]]:
    """The regular files in it, as SPDX has them."""
    with tarfile.open(fileobj=io.BytesIO(output("dpkg-deb", "--fsys-tarfile", str(deb)))) as tar:
        contents = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
        found = []
        for number, (name, stream) in enumerate(sorted(contents.items())):
            content = stream.read() if stream else b""
            sums = {"SHA1": hashlib.sha1(content), "SHA256": hashlib.sha256(content)}  # noqa: S324
            found.append(
                {
                    "SPDXID": f"SPDXRef-file-{number}",
                    "fileName": name,
                    "checksums": [checksum(kind, one.hexdigest()) for kind, one in sums.items()],
                    "licenseConcluded": LICENSE,
                    "copyrightText": "NOASSERTION",
                }
            )
    return found


def checksum(kind: str, value: str) -> dict[str, str]:
    """A hash, as SPDX has it."""
    return {"algorithm": kind, "checksumValue": value}


def package(name: str, version: str, identifier: str, **more: object) -> dict[str, Any]:
    """A package, as SPDX has it."""
    version_info = {"versionInfo": version} if version else {}
    return {
        "SPDXID": identifier,
        "name": name,
        **version_info,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        **more,
    }


def document(deb: Path, seconds: int) -> dict[str, Any]:
    """All of it.  The same package gives the same document."""
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    laid = files(deb)
    # SPDX 2.3, 7.9: the hash of the files' hashes, sorted.
    sums = "".join(sorted(file["checksums"][0]["checksumValue"] for file in laid))
    ours = package(
        field(deb, "Package"),
        field(deb, "Version"),
        "SPDXRef-package",
        filesAnalyzed=True,
        packageVerificationCode={
            "packageVerificationCodeValue": hashlib.sha1(sums.encode()).hexdigest()  # noqa: S324
        },
        checksums=[checksum("SHA256", digest)],
        licenseConcluded=LICENSE,
        licenseDeclared=LICENSE,
    )
    needed = dependencies(field(deb, "Depends"))
    others = [
        package(name, installed_version(name), f"SPDXRef-needed-{name.replace('+', '-')}")
        for name in dict.fromkeys(needed)
    ]
    inside = [
        package(name, version, f"SPDXRef-inside-{name}")
        for name, version in built_using(field(deb, "Static-Built-Using"))
    ]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-package")]
    relations += [("SPDXRef-package", "CONTAINS", file["SPDXID"]) for file in laid]
    relations += [("SPDXRef-package", "DEPENDS_ON", other["SPDXID"]) for other in others]
    relations += [(part["SPDXID"], "STATIC_LINK", "SPDXRef-package") for part in inside]
    created = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": deb.name,
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "creationInfo": {
            "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
            "creators": ["Tool: pam_pykeyinit-sbom"],
        },
        "packages": [ours, *others, *inside],
        "files": laid,
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations
        ],
    }


if __name__ == "__main__":
    json.dump(document(Path(sys.argv[1]), int(sys.argv[2])), sys.stdout, indent=1)
    sys.stdout.write("\n")
