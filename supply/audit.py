"""Known vulnerabilities in what the lock files pin, as pip-audit finds them: `make audit`, a step of CI.

First a version is looked up that is known to be vulnerable: where that comes back clean, a clean answer about
the lock files would say nothing. (Measured: where its data cannot be had, pip-audit says "No known
vulnerabilities found" and exits with 0.)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from supply.dockerfile import ROOT

KNOWN_BAD = "jinja2==2.11.2"
"""PYSEC-2021-66, a regular expression without end (https://osv.dev/vulnerability/PYSEC-2021-66)."""

SHIPPED = (
    *("requirements.lock", "requirements-build.lock"),
    *("requirements-mcp.lock", "requirements-pictures.lock", "action/requirements.lock"),
)
"""What is in the images, what builds them, what agents start, and what the Action installs.

A finding fails CI, if a version mends it."""

OTHERS = ("demo/requirements.lock", "requirements-dev.lock", "tests/browser/requirements.lock")
"""What never leaves a developer's machine: a finding is said."""

SERVICES = ("pypi", "osv")
"""Where pip-audit gets its data, in the order in which they are tried."""

_REQUEST_SECONDS = 10
_SECONDS = 100.0
"""For all files together, those of `SHIPPED` first."""


class Trust(Enum):
    """What came of looking up the known-bad version."""

    FINDS = "it finds what it must"
    NO_DATA = "its data cannot be had"
    BLIND = "it finds nothing where it must"


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a pinned version; `mended` are the versions without it."""

    package: str
    version: str
    number: str
    mended: tuple[str, ...]

    def __str__(self) -> str:
        what = f"{self.package} {self.version} has {self.number}"
        return (
            f"{what}, mended in {', '.join(self.mended)}"
            if self.mended
            else f"{what}, which no version mends"
        )


@dataclass(frozen=True)
class Report:
    """What pip-audit says of a file: what it found, and how many packages it could tell nothing of."""

    findings: tuple[Finding, ...]
    looked_at: int
    unknown: int


Audit = Callable[[str, Path], Report | None]
"""Looks up the packages of a file with a service of `SERVICES`; None if that came to nothing."""


def read_report(text: str) -> Report | None:
    """Return what pip-audit's JSON says; None if it is none."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
        findings = tuple(
            Finding(package["name"], package["version"], found["id"], tuple(found["fix_versions"]))
            for package in packages
            for found in package.get("vulns", ())
        )
    except (ValueError, KeyError, TypeError):
        return None
    unknown = sum("skip_reason" in package for package in packages)
    return Report(findings, len(packages) - unknown, unknown)


def pip_audit(deadline: float) -> Audit:
    """Return what runs pip-audit over files of pinned versions, until `deadline` of the monotonic clock."""

    def audit(service: str, file: Path) -> Report | None:
        command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
        command += ["--vulnerability-service", service, "--timeout", str(_REQUEST_SECONDS)]
        # What the file pins is all there is: nothing is resolved, fetched or built.
        command += ["--disable-pip", "--no-deps", "--requirement", str(file)]
        left = max(0.0, deadline - time.monotonic())
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
        except subprocess.TimeoutExpired:
            return None
        return read_report(result.stdout)

    return audit


def trust(service: str, audit: Audit) -> Trust:
    """Return what a service says of the known-bad version."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "known-bad.txt"
        file.write_text(f"{KNOWN_BAD}\n", "utf-8")
        report = audit(service, file)
    if report is None or not report.looked_at:
        return Trust.NO_DATA
    return Trust.FINDS if report.findings else Trust.BLIND


def run(root: Path, audit: Audit, say: Callable[[str], None]) -> int:
    """Look up all lock files; return the exit code: 1 for what is to be mended, or a blind audit."""
    tried = []
    for service in SERVICES:
        tried.append(trust(service, audit))
        if tried[-1] is Trust.FINDS:
            return _look(root, service, audit, say)
    if Trust.BLIND in tried:
        say(f"audit: {Trust.BLIND.value} ({KNOWN_BAD}), so the lock files were not looked up")
        return 1
    say("audit: its data cannot be had here, so nothing is known of vulnerabilities in the lock files")
    return 0


def _look(root: Path, service: str, audit: Audit, say: Callable[[str], None]) -> int:
    say(f"audit: {Trust.FINDS.value} ({KNOWN_BAD}, by {service})")
    to_mend = False
    for name in (*SHIPPED, *OTHERS):
        report = audit(service, root / name)
        if report is None:
            say(f"audit: {name}: nothing is known of it, its data cannot be had in time")
            continue
        say(f"audit: {name}: {_summary(report)}")
        for finding in report.findings:
            say(f"audit: {name}: {finding}")
        to_mend |= name in SHIPPED and any(finding.mended for finding in report.findings)
    return int(to_mend)


def _summary(report: Report) -> str:
    found = f"{len(report.findings)} known vulnerabilities in {report.looked_at} packages"
    return f"{found}; nothing is known of {report.unknown} more" if report.unknown else found


def main(arguments: Sequence[str]) -> int:
    """Look up the lock files of this working copy; return the exit code."""
    if arguments:
        print("usage: python -m supply.audit", file=sys.stderr)
        return 2
    audit = pip_audit(time.monotonic() + _SECONDS)
    return run(ROOT, audit, lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
