"""The commands as a person meets them: help that teaches, mistakes told in one list, exit codes, signals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from previewbot.cli import main, plugins
from tests.support.forked import run_forked
from tests.support.kubeconfigs import write_kubeconfig

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
PROCESSES = ("web", "controller")
SECRET = "squeamish-ossifrage"


@pytest.fixture(scope="session")
def private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.fixture
def settings(tmp_path: Path, private_key: bytes) -> dict[str, Any]:
    """Return settings with which all processes start; their files are there."""
    (tmp_path / "app.pem").write_bytes(private_key)
    (tmp_path / "webhook-secret").write_text(SECRET + "\n")
    write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9", {"token": SECRET})
    return {
        "github": {
            "api_url": "http://127.0.0.1:9",
            "web_url": "http://127.0.0.1:9",
            "app_id": 4242,
            "private_key_file": str(tmp_path / "app.pem"),
            "webhook_secret_file": str(tmp_path / "webhook-secret"),
        },
        "public_url": "https://previews.example.com",
        "cluster": {"kubeconfig": str(tmp_path / "kubeconfig"), "namespaces": ["staging"]},
        "images": {"allowed": ["ghcr.io/acme/"]},
    }


def environment(**variables: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREVIEWBOT_")}
    return own | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | variables


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "previewbot", *arguments]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that has imported what it needs already."""
    return run_forked(arguments, environment(**variables), PATIENCE)


def run_afresh(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, imports and all."""
    return subprocess.run(
        command(*arguments), env=environment(**variables), capture_output=True, text=True, timeout=PATIENCE
    )


def written(path: Path, settings: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(settings))
    return str(path)


def refused(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the mistakes that a process told as one list before it ended."""
    assert (done.returncode, done.stdout) == (2, "")
    title, *problems = [line for line in done.stderr.splitlines() if not line.startswith('{"time"')]
    assert title == "The settings cannot be used:"
    assert all(problem.startswith("  - ") for problem in problems)
    return [problem.removeprefix("  - ") for problem in problems]


# Help


def test_help_says_what_it_is_for_each_command_examples_and_exit_codes() -> None:
    done = run_afresh("--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Runs what a pull request changes next to shared staging" in done.stdout
    for name in ("web", "controller", "demo", "check", "doctor"):
        assert re.search(rf"^    {name}\b", done.stdout, re.MULTILINE)
        assert re.search(rf"^  previewbot {name}|\| previewbot {name}", done.stdout, re.MULTILINE)
    words = " ".join(done.stdout.split())
    assert "exit codes: 0 fine (of explain: whatever it says); 1 failed, or check or doctor" in words


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("web", ["Take GitHub's webhooks", "--config FILE", "the settings (YAML)", "0.0.0.0:8080"]),
        ("web", ["--metrics-bind HOST:PORT", "where probes and metrics are", "0.0.0.0:8082"]),
        ("controller", ["Follow pull requests", "--config FILE", "0.0.0.0:8081", "--identity NAME"]),
        ("demo", ["The whole thing on this machine", "--check", "--port"]),
        ("check", ["Validate a .github/preview.yaml", "- reads them from stdin"]),
    ],
)
def test_each_command_has_help_of_its_own(
    name: str, says: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    output = capsys.readouterr().out
    assert ended.value.code == 0
    assert [words for words in says if words not in output] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["frob"], "invalid choice: 'frob' (choose from"),
        (["web"], "the following arguments are required: --config"),
        (["controller", "--config"], "argument --config: expected one argument"),
        (["web", "--config", "x", "--port", "80"], "unrecognized arguments: --port 80"),
        (["check"], "name a file to validate: PATH, or --settings FILE"),
        (["check", "x", "--repository", "acme/shop"], "--repository asks for --settings FILE"),
        (["check", "--settings", "x", "--repository", "acme"], "'acme' is not OWNER/NAME, for example"),
        (["web", "--config", "x", "--bind", "8080"], "'8080' is not HOST:PORT, for example 0.0.0.0:8080"),
        (["web", "--config", "x", "--bind", ":80"], "':80' is not HOST:PORT"),
        (["web", "--config", "x", "--metrics-bind", "8082"], "'8082' is not HOST:PORT"),
        (["web", "--config", "x", "--bind", "::1:x"], "'::1:x' is not HOST:PORT"),
        (["web", "--config", "x", "--bind", "a:65536"], "'a:65536' is not HOST:PORT"),
    ],
)
def test_wrong_arguments_are_told_with_the_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    output = capsys.readouterr()
    assert (ended.value.code, output.out) == (2, "")
    assert output.err.startswith("usage: previewbot")
    assert says in output.err


# Commands of other distributions


def with_commands(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Let exactly these commands be installed; each value is where the function that adds it is."""
    points = EntryPoints(EntryPoint(name, value, plugins.GROUP) for name, value in values.items())
    monkeypatch.setattr(plugins, "entry_points", lambda group: points.select(group=group))


def add_greet(commands: plugins.Commands) -> None:
    commands.add_parser("greet").set_defaults(run=lambda options: print("hello") or 7)


def test_an_installed_distribution_adds_its_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_commands(monkeypatch, greet=f"{__name__}:add_greet")

    code = main(["greet"])

    assert (code, capsys.readouterr().out) == (7, "hello\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--check"], ["--port", "0"], ["--kubeconfig", "x"]],
    ids=["alone", "check", "port", "kubeconfig"],
)
def test_without_its_distribution_demo_says_in_one_sentence_how_to_get_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_commands(monkeypatch)

    code = main(["demo", *arguments])

    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert output.err.count("\n") == output.err.count(". ") + 1 == 1
    assert "which is not installed here: run `make demo`" in output.err


@pytest.mark.parametrize("place", ["nowhere_at_all:add", f"{__name__}:gone"])
def test_a_command_that_cannot_be_loaded_says_so_and_keeps_nobody_else_from_running(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_commands(monkeypatch, demo=place)

    code = main(["demo", "--check"])

    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert output.err.startswith("`previewbot demo` cannot be loaded (")
    assert output.err.endswith("): install its package again.\n")
    assert main(["check", str(tmp_path / "missing")]) == 1


def test_an_unknown_command_ends_the_process_without_a_stack_trace() -> None:
    done = run_afresh("frob")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


# Settings


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "settings.yaml cannot be read: No such file or directory"),
        (b"\xff", "settings.yaml is not UTF-8; save the file in that encoding"),
        (b"{{{", "line 1: is not YAML (while parsing"),
        (b"- a\n", "line 1: the file must hold keys such as github: and public_url:"),
        (b"[" * 2_000, "line 1: is nested too deeply"),
    ],
    ids=["missing", "not UTF-8", "not YAML", "a list", "deep"],
)
def test_a_settings_file_that_cannot_be_read_is_told_so(
    name: str, content: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.yaml"
    if content is not None:
        file.write_bytes(content)

    code = main([name, "--config", str(file)])

    title, problem = capsys.readouterr().err.splitlines()
    assert (code, title) == (2, "The settings cannot be used:")
    assert says in problem


@pytest.mark.parametrize("name", PROCESSES)
def test_endless_settings_are_too_large(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([name, "--config", "/dev/zero"])

    assert (code, capsys.readouterr().err.splitlines()[1:]) == (
        2,
        ["  - the file is larger than 64 KiB; make it smaller"],
    )


@pytest.mark.parametrize("name", PROCESSES)
def test_nothing_in_the_name_of_the_settings_is_obeyed_by_a_terminal(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([name, "--config", "a\x1b[31m\u202e.yaml"])

    assert "  - a?[31m?.yaml cannot be read: No such file or directory\n" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROCESSES)
def test_of_thousands_of_mistakes_in_the_settings_the_first_are_told(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.yaml").write_text("".join(f"k{number}: 1\n" for number in range(2_000)))

    main([name, "--config", str(tmp_path / "settings.yaml")])

    told = capsys.readouterr().err.splitlines()[1:]
    assert len(told) == 21
    assert re.fullmatch(r"  - line \d+: and 19\d\d more mistakes", told[-1])


@pytest.mark.parametrize("name", PROCESSES)
def test_an_endless_secret_is_refused(
    name: str, tmp_path: Path, settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    settings["github"] |= {"private_key_file": "/dev/zero", "webhook_secret_file": "/dev/zero"}

    code = main([name, "--config", written(tmp_path / "settings.yaml", settings)])

    assert code == 2
    assert "/dev/zero is larger than 64 KiB" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROCESSES)
def test_every_mistake_in_the_settings_is_told_in_one_list(
    name: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    settings["github"]["app_id"] = "mine"
    settings["public_ulr"] = settings.pop("public_url")
    del settings["cluster"]["namespaces"]

    problems = refused(run(name, "--config", written(tmp_path / "settings.yaml", settings)))

    assert problems == [
        "line 1: public_url is missing; write for example public_url: https://previews.example.com",
        "line 2: cluster.namespaces is missing; write for example namespaces: [staging]",
        'line 5: github.app_id must be a whole number from 1, not "mine"',
        "line 12: public_ulr is unknown; did you mean public_url?",
    ]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_mistake_in_a_variable_is_told_with_its_name(
    name: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    file = written(tmp_path / "settings.yaml", settings)

    (problem,) = refused(run(name, "--config", file, PREVIEWBOT_LIMITS__PREVIEWS="many"))

    assert "PREVIEWBOT_LIMITS__PREVIEWS" in problem


# Secrets


@pytest.mark.parametrize(
    ("name", "key"), [("web", "webhook_secret"), ("controller", "private_key")], ids=PROCESSES
)
def test_a_secret_that_nothing_names_is_told_with_both_ways_to_give_it(
    name: str, key: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    del settings["github"][f"{key}_file"]

    (problem,) = refused(run(name, "--config", written(tmp_path / "settings.yaml", settings)))

    assert problem == f"github.{key}_file is missing; write it, or set PREVIEWBOT_GITHUB__{key.upper()}"


@pytest.mark.parametrize(
    ("name", "key", "file"),
    [("web", "webhook_secret", "webhook-secret"), ("controller", "private_key", "app.pem")],
    ids=PROCESSES,
)
def test_a_secret_file_that_is_not_there_is_told_so(
    name: str, key: str, file: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    (tmp_path / file).unlink()

    (problem,) = refused(run(name, "--config", written(tmp_path / "settings.yaml", settings)))

    assert problem == f"github.{key}: {tmp_path / file} cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("name", "file", "content", "says"),
    [
        ("web", "webhook-secret", "\n", "is empty; it must hold the webhook secret of the App"),
        ("controller", "app.pem", SECRET, "does not hold a private key"),
        (
            "controller",
            "app.pem",
            f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----\n",
            "is not an RSA private key in PEM form",
        ),
    ],
    ids=["an empty secret", "no key", "a broken key"],
)
def test_a_secret_that_is_unusable_is_told_so_and_never_shown(
    name: str, file: str, content: str, says: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    (tmp_path / file).write_text(content)

    done = run(name, "--config", written(tmp_path / "settings.yaml", settings))

    (problem,) = refused(done)
    assert says in problem
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    ("name", "file"), [("web", "app.pem"), ("controller", "webhook-secret")], ids=PROCESSES
)
def test_neither_process_reads_the_others_secret(
    name: str, file: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    (tmp_path / file).unlink()
    (tmp_path / "kubeconfig").unlink()

    (problem,) = refused(run(name, "--config", written(tmp_path / "settings.yaml", settings)))

    assert "kubeconfig" in problem


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("content", [None, "]", "{}"], ids=["missing", "not YAML", "empty"])
def test_a_kubeconfig_that_cannot_be_used_is_told_with_its_path(
    name: str, content: str | None, tmp_path: Path, settings: dict[str, Any]
) -> None:
    file = tmp_path / "kubeconfig"
    file.unlink() if content is None else file.write_text(content)

    (problem,) = refused(run(name, "--config", written(tmp_path / "settings.yaml", settings)))

    assert problem.startswith(f"cluster.kubeconfig ({file})")


FAILING_LOGINS = {
    "missing": (
        "kubelogin-that-is-not-there",
        None,
        "cannot be started (No such file or directory): Ask Ann",
    ),
    "failing": ("./login", "#!/bin/sh\necho 'not signed in' >&2\nexit 1\n", "ended with 1: not signed in"),
    "nonsense": ("./login", "#!/bin/sh\necho Hello\n", "printed what is no JSON"),
    "another version": (
        "./login",
        '#!/bin/sh\necho \'{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1"}\'\n',
        "answers in the apiVersion client.authentication.k8s.io/v1, and the kubeconfig wants",
    ),
}


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize(("command", "program", "words"), FAILING_LOGINS.values(), ids=FAILING_LOGINS)
def test_a_program_that_gives_no_login_ends_the_start_with_its_own_words(
    name: str, command: str, program: str | None, words: str, tmp_path: Path, settings: dict[str, Any]
) -> None:
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": command,
        "args": ["get-token"],
        "installHint": "Ask Ann",
        "provideClusterInfo": False,
    }
    file = write_kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:9", {"exec": plugin})
    if program is not None:
        (file.parent / "login").write_text(program)
        (file.parent / "login").chmod(0o700)

    (problem,) = refused(run(name, "--config", written(tmp_path / "settings.yaml", settings)))

    path = command if program is None else str(file.parent / "login")
    assert problem.startswith(f"cluster.kubeconfig: the program {path}, which is to give the login, {words}")


def test_a_proxy_that_cannot_be_gone_through_ends_the_start_without_its_login(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    file = written(tmp_path / "settings.yaml", settings)

    (problem,) = refused(run("controller", "--config", file, HTTPS_PROXY="socks5://bot:hush@proxy:1080"))

    assert problem == "HTTPS_PROXY has socks5://; previewbot can go through http:// and https://"


def test_a_ca_of_githubs_that_cannot_be_read_ends_the_start(tmp_path: Path, settings: dict[str, Any]) -> None:
    settings["github"]["ca_file"] = str(tmp_path / "gone.pem")

    (problem,) = refused(run("controller", "--config", written(tmp_path / "settings.yaml", settings)))

    assert problem == f"github.ca_file: {tmp_path}/gone.pem cannot be read as certificates"


@pytest.mark.parametrize(
    ("secret", "keys", "words"),
    [
        (None, None, "sign_in.client_secret_file: {path}/client-secret cannot be read: No such file"),
        ("s" * 40, None, "sign_in.cookie_keys_file: {path}/cookie-keys cannot be read: No such file"),
        ("s" * 40, "no key", "{path}/cookie-keys holds something that is no key of 32 bytes"),
    ],
)
def test_pages_does_not_start_without_what_a_sign_in_needs(
    tmp_path: Path, settings: dict[str, Any], secret: str | None, keys: str | None, words: str
) -> None:
    files = {"client_secret_file": tmp_path / "client-secret", "cookie_keys_file": tmp_path / "cookie-keys"}
    for file, content in zip(files.values(), (secret, keys), strict=True):
        if content is not None:
            file.write_text(content)
    settings["sign_in"] = {"client_id": "Iv1.0"} | {key: str(file) for key, file in files.items()}

    (problem,) = refused(run("pages", "--config", written(tmp_path / "settings.yaml", settings)))

    assert problem.startswith(words.format(path=tmp_path))


def test_a_proxy_that_cannot_be_gone_through_ends_the_start_of_pages_where_people_sign_in(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    path = tmp_path / "settings.yaml"
    signing = {
        "client_id": "Iv1.0",
        "client_secret_file": str(tmp_path / "client-secret"),
        "cookie_keys_file": str(tmp_path / "cookie-keys"),
    }
    (tmp_path / "client-secret").write_text("s" * 40)
    (tmp_path / "cookie-keys").write_text("wm0r3ct5Pj2Ww8H0Qb1n6rJ9qE2xkq0eZxT0n0eS3yY=")
    wrong = "socks5://bot:hush@proxy:1080"

    signs_in = written(path, {**settings, "sign_in": signing})
    (problem,) = refused(run("pages", "--config", signs_in, HTTPS_PROXY=wrong))

    assert problem == "HTTPS_PROXY has socks5://; previewbot can go through http:// and https://"


# Running


@contextmanager
def taken() -> Iterator[str]:
    """Yield an address that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def a_free_address() -> str:
    with taken() as address:
        return address


def binding(name: str, probes: str) -> list[str]:
    """Return the arguments with which a process has its probes at this address."""
    if name != "controller":
        return ["--bind", a_free_address(), "--metrics-bind", probes]
    return ["--bind", probes]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("web", lambda address: ["--bind", address, "--metrics-bind", a_free_address()]),
        ("web", lambda address: binding("web", address)),
        ("pages", lambda address: binding("pages", address)),
        ("controller", lambda address: binding("controller", address)),
    ],
    ids=["web", "web's probes", "pages' probes", "controller"],
)
def test_an_address_that_is_taken_ends_the_process_with_a_word_and_no_stack_trace(
    name: str, arguments: Callable[[str], list[str]], tmp_path: Path, settings: dict[str, Any]
) -> None:
    file = written(tmp_path / "settings.yaml", settings)
    with taken() as address:
        done = run(name, "--config", file, *arguments(address))

    assert done.returncode == 1
    assert address.rpartition(":")[2] in done.stderr
    assert "already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_injected_into_webs_process_and_cannot_be_there_is_told_with_no_stack_trace(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    # As the operators of OpenTelemetry and Datadog do it, for all pods of a namespace.
    (tmp_path / "sitecustomize.py").write_text("import urllib3")
    file = written(tmp_path / "settings.yaml", settings)
    done = run_afresh("web", "--config", file, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")

    assert done.returncode == 1
    assert "automatic instrumentation" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_serves_until_it_is_told_to_end_and_then_ends_well(
    name: str, number: signal.Signals, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """The API server does not answer here: the process is alive all the same, only not ready."""
    address = a_free_address()
    file = written(tmp_path / "settings.yaml", settings)
    with (tmp_path / "log").open("w") as log:
        child = subprocess.Popen(
            command(name, "--config", file, *binding(name, address)),
            env=environment(),
            stdout=log,
            stderr=log,
        )
        try:
            assert answers(child, f"http://{address}/healthz") == 200
            assert answers(child, f"http://{address}/readyz") == 503
            child.send_signal(number)
            code = child.wait(PATIENCE)
        finally:
            child.kill()
            child.wait()

    assert code == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_web_finishes_a_request_that_was_under_way_when_it_was_told_to_end(
    number: signal.Signals, tmp_path: Path, settings: dict[str, Any]
) -> None:
    address = a_free_address()
    file = written(tmp_path / "settings.yaml", settings)
    child = subprocess.Popen(
        command("web", "--config", file, *binding("web", address)), env=environment(), stderr=subprocess.PIPE
    )
    try:
        assert answers(child, f"http://{address}/healthz") == 200
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as half:
            half.sendall(b"GET /healthz HTTP/1.1\r\nHost: previews.example.com\r\n")
            # Whatever comes after it is answered: the half request has been read.
            assert answers(child, f"http://{address}/healthz") == 200
            child.send_signal(number)
            # A process that cuts requests off has ended long before this is over.
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(1)
            half.sendall(b"\r\n")
            answer = half.makefile("rb").readline()
        code = child.wait(PATIENCE)
    finally:
        child.kill()
        _, said = child.communicate()

    assert (answer, code) == (b"HTTP/1.1 200 OK\r\n", 0)
    assert b"Traceback" not in said


def answers(child: subprocess.Popen[bytes], url: str) -> int:
    """Return the status that a process answers with, as soon as it answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer; the process: {child.poll()}")


def test_an_interrupted_command_ends_as_shells_expect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def read(self) -> str:
            raise KeyboardInterrupt

    file = tmp_path / "preview.yaml"
    file.write_text((ROOT / "demo/previewbot_demo/shop/preview.yaml").read_text().replace("PORT", "8470"))
    monkeypatch.setattr(sys, "stdin", Interrupted())

    assert main(["check", str(file), "-"]) == 130


def test_of_the_demo_only_its_arguments_are_imported_and_nothing_heavy_for_help() -> None:
    script = """if True:
        import contextlib, io, sys
        from previewbot.cli import main
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            main(["--help"])
        heavy = {"flask", "aiohttp", "kubernetes", "gevent", "gunicorn", "jinja2"} & set(sys.modules)
        # The controller's sockets and threads must stay the real ones.
        import previewbot.cli.serve, previewbot.runtime.controller
        assert "gevent" not in sys.modules
        import previewbot.runtime.web_app, previewbot.runtime.web_server
        import previewbot.runtime.pages_app
        import previewbot.clients.kubernetes.web_client, previewbot.clients.kubernetes.pages_client
        demo = [name for name in sys.modules if name.startswith("previewbot_demo")]
        print(sorted(heavy), sorted(demo))
    """

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, timeout=PATIENCE
    )

    assert (done.stderr, done.stdout) == ("", "[] ['previewbot_demo', 'previewbot_demo.cli']\n")


def test_without_its_extra_the_server_for_agents_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("previewbot.cli.mcp.find_spec", lambda name: None)

    assert main(["mcp"]) == 2
    assert "pip install '.[mcp]'" in capsys.readouterr().err


def test_without_its_extra_the_worker_of_pictures_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("previewbot.cli.pictures.find_spec", lambda name: None)

    arguments = ["pictures", "--token-file", "t", "--folder", str(tmp_path)]

    assert main(arguments) == 2
    assert "Dockerfile.pictures" in capsys.readouterr().err
    # In a pod it listens for others, and its browser must not be led to what listens there.
    assert main([*arguments, "--localhost"]) == 2
    assert "needs a --bind at 127.0.0.1" in capsys.readouterr().err
