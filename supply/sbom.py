"""The list of what is in the image, as CycloneDX (https://cyclonedx.org/specification/overview/).

`make sbom` writes what the image is built from: the base by its digest, previewbot by its wheel, and each
package that requirements.lock pins, with the hashes of the files that it may be, and with what needs it.
What is in the base (Debian's packages, Python) its maker says, in an attestation beside it in the registry.
The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from supply.dockerfile import DOCKERFILE, ROOT, Base, base_of
from supply.lock import Pin, read_lock

LOCK = ROOT / "requirements.lock"
VERSION = SchemaVersion.V1_6

_OURS = "previewbot"
_LICENCE = "Apache-2.0"
_NUMBERS = UUID("5d3f0c1e-8d0e-5c0a-9a77-0f6b5f2f7b11")
"""What the numbers of our lists are made from (https://datatracker.ietf.org/doc/html/rfc9562#name-uuid-version-5)."""


def bill(version: str, wheel: str, base: Base, pins: Sequence[Pin], at: datetime) -> Bom:
    """Return the list for an image of previewbot's `version`; `wheel` is the SHA-256 of its wheel."""
    image = Component(name=_OURS, version=version, type=ComponentType.CONTAINER, bom_ref="image")
    own = Component(
        name=_OURS,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=_OURS,
        # Not pkg:pypi/…: no index has it, and whoever had the name there would be taken for it.
        purl=PackageURL("generic", None, _OURS, version),
        hashes=[_sha256(wheel)],
        licenses=[LicenseExpression(_LICENCE)],
    )
    below = _base(base)
    packages = {pin.name: _package(pin) for pin in pins}
    needs: dict[str, list[Component]] = {name: [] for name in (_OURS, *packages)}
    for pin in pins:
        # An extra of a package is told as needed by the package itself.
        for name in set(pin.via) - {pin.name}:
            needs[name].append(packages[pin.name])
    bom = Bom(
        components=[below, own, *packages.values()],
        serial_number=_number([version, wheel, str(base), *map(str, pins), at.isoformat()]),
        metadata=BomMetaData(component=image, timestamp=at),
    )
    bom.register_dependency(image, [below, own])
    bom.register_dependency(below)
    for name, component in {_OURS: own, **packages}.items():
        bom.register_dependency(component, needs[name])
    return bom


def as_json(bom: Bom) -> str:
    """Return a list as JSON; what has no order of its own is sorted."""
    return make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=2) + "\n"


def _package(pin: Pin) -> Component:
    # One of these files is installed, the one for the image's processor: so they are hashes of where it comes
    # from, and not of the component.
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/simple/{pin.name}/"),
        hashes=[_sha256(found) for found in pin.hashes],
    )
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=pin.name,
        purl=PackageURL("pypi", None, pin.name, pin.version),
        external_references=[files],
    )


def _base(base: Base) -> Component:
    name = base.name.rpartition("/")[2]
    where = {"repository_url": base.name, "tag": base.tag}
    return Component(
        name=base.name,
        version=base.tag,
        type=ComponentType.CONTAINER,
        bom_ref="base",
        # https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md
        purl=PackageURL("oci", None, name, base.digest or None, where),
        hashes=[_sha256(base.digest.removeprefix("sha256:"))] if base.digest else [],
    )


def _sha256(value: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=value)


def _number(parts: Iterable[str]) -> UUID:
    return uuid5(_NUMBERS, "\n".join(parts))


def moment(environment: Mapping[str, str]) -> datetime:
    """Return the time that a list is of: SOURCE_DATE_EPOCH, or that of the last commit.

    Raises ValueError if there is neither (https://reproducible-builds.org/specs/source-date-epoch/).
    """
    told = environment.get("SOURCE_DATE_EPOCH")
    if told is None:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        told = result.stdout.strip()
    if not told.isdecimal():
        raise ValueError(
            "there is no last commit whose time could be taken: set SOURCE_DATE_EPOCH, in seconds"
        )
    return datetime.fromtimestamp(int(told), UTC)


def main(arguments: Sequence[str]) -> int:
    """Write the list of what is in the image to standard output; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m supply.sbom", description=main.__doc__)
    parser.add_argument("wheel", type=Path, help="what `image/install.sh wheel` built")
    options = parser.parse_args(arguments)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wheel = hashlib.sha256(options.wheel.read_bytes()).hexdigest()
    pins = read_lock(LOCK.read_text("utf-8"))
    base = base_of(DOCKERFILE.read_text("utf-8"))
    sys.stdout.write(as_json(bill(project["version"], wheel, base, pins, moment(os.environ))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
