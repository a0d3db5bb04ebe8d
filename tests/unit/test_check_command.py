"""`previewbot check`: what somebody reads who writes a `.github/preview.yaml`."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from previewbot.cli import main

GOOD = """\
version: 1
services:
  checkout:
    paths: ["services/checkout/**", "libs/money/**"]
    target: deployment/checkout
    namespace: staging
    image: ghcr.io/acme/checkout:{head_sha}
    ports: [8080]
  pricing:
    paths: ["services/pricing/**", "libs/money/**"]
    target: deployment/pricing
    namespace: staging
    image: ghcr.io/acme/pricing:{head_sha}
    ports: [8080]
"""
VALID = "preview.yaml is valid: checkout, pricing\n"
NOTHING = "  no service: a pull request with these files has nothing to preview\n"

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks a file with these contents; it returns exit code, output, and errors."""

    def run(content: str | bytes, *files: str, stdin: str = "") -> tuple[int, str, str]:
        raw = content.encode() if isinstance(content, str) else content
        (tmp_path / "preview.yaml").write_bytes(raw)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(["check", "preview.yaml", *files])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


# The file


def test_a_good_file_is_said_to_be_valid_with_the_services_it_names(check: Check) -> None:
    assert check(GOOD) == (0, VALID, "")


def test_every_mistake_is_a_line_with_its_place_as_editors_and_ci_read_it(check: Check) -> None:
    content = GOOD.replace("namespace: staging", "namespce: staging", 1).replace("[8080]", "[web]", 1)

    code, output, errors = check(content)

    assert (code, output) == (1, "")
    assert errors.splitlines() == [
        "preview.yaml:4: `services.checkout.namespace` is missing; write for example `namespace: staging`",
        "preview.yaml:6: `namespce` is unknown; did you mean `namespace`?",
        "preview.yaml:8: `ports` must be a port, a number from 1 to 65535",
    ]


def test_a_misspelt_key_that_is_needed_is_recognised(check: Check) -> None:
    _, _, errors = check(GOOD.replace("services:", "servcies:"))

    assert "preview.yaml:2: `servcies` is unknown; did you mean `services`?" in errors


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "preview.yaml:1: the file is empty; it must hold keys such as `version: 1`"),
        (b"\xff", "preview.yaml:1: is not UTF-8; save the file in that encoding"),
        (b"version: [", "preview.yaml:1: is not YAML"),
        (b"#" * 70_000, "preview.yaml: the file is larger than 64 KiB; make it smaller"),
    ],
)
def test_what_is_no_configuration_is_told_so(check: Check, content: bytes, says: str) -> None:
    code, output, errors = check(content)

    assert (code, output) == (1, "")
    assert errors.startswith(says)
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "says"), [("gone.yaml", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, says: str
) -> None:
    code = main(["check", str(tmp_path / path)])

    output = capsys.readouterr()
    assert (code, output.out, output.err) == (1, "", f"{tmp_path / path} cannot be read: {says}\n")


# Changed files


def test_changed_files_are_counted_for_the_services_they_match(check: Check) -> None:
    code, output, errors = check(GOOD, "services/checkout/a.py", "libs/money/b.py", "README.md")

    assert (code, errors) == (0, "")
    assert output == VALID + "  checkout: 2 changed files\n  pricing: 1 changed file\n"


def test_changed_files_that_match_nothing_mean_no_preview(check: Check) -> None:
    assert check(GOOD, "README.md") == (0, VALID + NOTHING, "")


def test_changed_files_are_read_from_stdin_one_a_line(check: Check) -> None:
    stdin = "services/pricing/a.py\n\n  services/pricing/b c.py \r\nREADME.md"

    assert check(GOOD, "-", stdin=stdin) == (0, VALID + "  pricing: 2 changed files\n", "")


def test_files_from_stdin_and_from_arguments_count_together(check: Check) -> None:
    _, output, _ = check(GOOD, "services/checkout/a.py", "-", stdin="services/checkout/b.py\n")

    assert output == VALID + "  checkout: 2 changed files\n"


def test_no_changed_files_at_all_mean_no_preview(check: Check) -> None:
    assert check(GOOD, "-", stdin="") == (0, VALID + NOTHING, "")


def test_stdin_is_not_waited_for_unless_it_is_asked_for(check: Check) -> None:
    assert check(GOOD, stdin="services/checkout/a.py\n") == (0, VALID, "")


def test_of_a_broken_file_nothing_is_matched(check: Check) -> None:
    code, output, _ = check("version: 2\n", "services/checkout/a.py")

    assert (code, output) == (1, "")


# As a process


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_of_any_bytes_come_through_a_pipe_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "preview.yaml").write_text(GOOD)

    done = subprocess.run(
        [sys.executable, "-m", "previewbot", "check", "preview.yaml", "-"],
        cwd=tmp_path,
        input=b"services/pricing/\xff\n" + "services/pricing/käse\n".encode(),
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == VALID + "  pricing: 2 changed files\n"
