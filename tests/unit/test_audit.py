"""The audit of the lock files: believed only where it finds what it must, not in the way without data."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from packaging.version import Version
from pip_audit._format.json import JsonFormat
from pip_audit._service.interface import ResolvedDependency, SkippedDependency, VulnerabilityResult

from supply.audit import (
    KNOWN_BAD,
    OTHERS,
    SHIPPED,
    Finding,
    Report,
    Trust,
    pip_audit,
    read_report,
    run,
    trust,
)
from supply.dockerfile import ROOT
from supply.lock import read_lock
from tests.support.servers import Handler, served

BAD = Finding("jinja2", "2.11.2", "PYSEC-2021-66", ("2.11.3",))
MENDED = Finding("urllib3", "2.8.0", "PYSEC-1", ("2.8.1",))
NOT_MENDED = Finding("urllib3", "2.8.0", "PYSEC-2", ())
FOUND, CLEAN, UNKNOWN = Report((BAD,), 1, 0), Report((), 1, 0), Report((), 0, 1)
NO_DATA_LINE = "audit: its data cannot be had here, so nothing is known of vulnerabilities in the lock files"


class Services:
    """What pip-audit would say, by service and name of the file; the locks are clean unless told."""

    def __init__(self, known_bad: Mapping[str, Report | None], **locks: Report | None) -> None:
        self._known_bad = known_bad
        self._locks = locks
        self.looked_up: list[tuple[str, str]] = []

    def __call__(self, service: str, file: Path) -> Report | None:
        if file.name == "known-bad.txt":
            assert file.read_text("utf-8").strip() == KNOWN_BAD
            return self._known_bad[service]
        self.looked_up.append((service, str(file.relative_to(ROOT))))
        key = str(file.relative_to(ROOT)).removesuffix(".lock").replace("/", "_").replace("-", "_")
        return self._locks.get(key, Report((), 50, 0))


def audited(services: Services) -> tuple[int, list[str]]:
    lines: list[str] = []
    return run(ROOT, services, lines.append), lines


def test_all_lock_files_are_looked_up_once_the_known_bad_version_is_found() -> None:
    services = Services({"pypi": FOUND, "osv": None})

    code, lines = audited(services)

    assert code == 0
    assert services.looked_up == [("pypi", name) for name in (*SHIPPED, *OTHERS)]
    assert lines[0] == f"audit: it finds what it must ({KNOWN_BAD}, by pypi)"


def test_there_is_no_lock_file_besides() -> None:
    folders = (ROOT, ROOT / "demo", ROOT / "tests")
    lists = [path for folder in folders for path in (*folder.glob("*.lock"), *folder.glob("*/*.lock"))]
    found = {str(path.relative_to(ROOT)) for path in lists}

    assert found == {*SHIPPED, *OTHERS}


@pytest.mark.parametrize("nothing", [None, UNKNOWN], ids=["no answer", "every package skipped"])
def test_where_its_data_cannot_be_had_one_line_says_so_and_ci_goes_on(nothing: Report | None) -> None:
    services = Services({"pypi": nothing, "osv": nothing})

    assert audited(services) == (0, [NO_DATA_LINE])
    assert services.looked_up == []


def test_one_that_finds_nothing_where_it_must_fails_and_says_which_of_the_two_it_is() -> None:
    code, lines = audited(Services({"pypi": CLEAN, "osv": None}))

    assert code == 1
    assert lines == [
        f"audit: it finds nothing where it must ({KNOWN_BAD}), so the lock files were not looked up"
    ]


@pytest.mark.parametrize("first", [None, UNKNOWN, CLEAN], ids=["no answer", "skipped", "blind"])
def test_another_service_is_asked_where_the_first_is_of_no_use(first: Report | None) -> None:
    services = Services({"pypi": first, "osv": FOUND})

    assert audited(services)[0] == 0
    assert {service for service, _ in services.looked_up} == {"osv"}


FINDINGS = {
    "in what is shipped, mended": ({"requirements": MENDED}, 1),
    "in what builds it, mended": ({"requirements_build": MENDED}, 1),
    "in what is shipped, mended by no version": ({"requirements": NOT_MENDED}, 0),
    "in what only developers have": ({"requirements_dev": MENDED, "demo_requirements": MENDED}, 0),
}


@pytest.mark.parametrize(("found", "code"), FINDINGS.values(), ids=FINDINGS)
def test_a_finding_is_said_and_fails_where_it_is_shipped_and_can_be_mended(
    found: dict[str, Finding], code: int
) -> None:
    reports = {name: Report((finding,), 50, 0) for name, finding in found.items()}

    got, lines = audited(Services({"pypi": FOUND, "osv": None}, **reports))

    assert got == code
    assert len([line for line in lines if "urllib3 2.8.0 has PYSEC-" in line]) == len(found)


def test_a_lock_file_that_could_not_be_looked_up_whole_is_not_called_clean() -> None:
    some, none = Report((), 40, 10), None

    code, lines = audited(Services({"pypi": FOUND, "osv": None}, requirements=some, requirements_build=none))

    assert code == 0
    assert (
        "audit: requirements.lock: 0 known vulnerabilities in 40 packages; nothing is known of 10 more"
        in lines
    )
    assert "audit: requirements-build.lock: nothing is known of it, its data cannot be had in time" in lines


KNOWN = {
    "id": BAD.number,
    "affected": [
        {
            "package": {"name": BAD.package, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}],
        }
    ],
}


def a_service(*known: dict[str, Any]) -> Handler:
    """Return what answers like OSV's API, and knows these of the known-bad version."""

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = json.loads(await request.text())
        bad = f"{asked['package']['name']}=={asked['version']}" == KNOWN_BAD
        return web.json_response({"vulns": list(known)} if bad and known else {})

    return handle


async def broken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503)


SERVICES_OF_THE_WORLD = {
    "knows it": (a_service(KNOWN), Trust.FINDS),
    "knows nothing": (a_service(), Trust.BLIND),
    "is out of order": (broken, Trust.NO_DATA),
}


@pytest.mark.parametrize(("handler", "found"), SERVICES_OF_THE_WORLD.values(), ids=SERVICES_OF_THE_WORLD)
def test_pip_audit_itself_is_believed_only_if_it_finds_the_known_bad_version(
    handler: Handler, found: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(handler) as (url, _):
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"{url}/v1/query")

        assert trust("osv", pip_audit(time.monotonic() + 60)) is found


def test_pip_audit_itself_looks_up_each_package_of_a_lock_file(monkeypatch: pytest.MonkeyPatch) -> None:
    pins = read_lock((ROOT / "requirements-build.lock").read_text("utf-8"))
    with served(a_service(KNOWN)) as (url, _):
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"{url}/v1/query")
        report = pip_audit(time.monotonic() + 60)("osv", ROOT / "requirements-build.lock")

    assert report == Report((), len(pins), 0)


def test_what_pip_audit_writes_is_read() -> None:
    bad = ResolvedDependency("jinja2", Version("2.11.2"))
    found = VulnerabilityResult.create(
        ids=["PYSEC-2021-66"], description="", fix_versions=[Version("2.11.3")], published=None
    )
    skipped = SkippedDependency("ours", "Dependency not found")
    text = JsonFormat(False, False).format({bad: [found], skipped: []}, [])

    assert read_report(text) == Report((BAD,), 1, 1)


@pytest.mark.parametrize(
    "text", ["", "Traceback", "[]", "{}", json.dumps({"dependencies": [{"vulns": [{}]}]})]
)
def test_what_is_no_report_of_its_is_no_data(text: str) -> None:
    assert read_report(text) is None


def test_nothing_is_waited_for_beyond_the_time_for_all_files() -> None:
    assert pip_audit(time.monotonic() - 1)("pypi", ROOT / "requirements.lock") is None


@pytest.mark.parametrize("name", [*SHIPPED, *OTHERS])
def test_a_lock_file_pins_each_package_by_version_and_hash(name: str) -> None:
    pins = read_lock((ROOT / name).read_text("utf-8"))

    assert len(pins) == len({pin.name for pin in pins}) > 0
    assert all(pin.hashes for pin in pins)
