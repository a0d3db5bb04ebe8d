"""A team's mirrord file: what it says of a session, and what is wrong with it, by line and in words."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from previewbot.config.keys import KEY
from previewbot.config.mirrord import MirrordConfig, read_mirrord
from previewbot.config.mirrord.files import File, Files
from previewbot.config.target_paths import TargetPath
from previewbot.engine.parts import Idle, IncomingRequests
from previewbot.engine.session_spec import parts_spec
from previewbot.engine.translation.preview import parts_of_mirrord
from previewbot.errors import ConfigurationError

PATH = ".mirrord/mirrord.json"


def read(written: object, files: dict[str, File] | None = None, path: str = PATH) -> MirrordConfig:
    text = written if isinstance(written, str) else json.dumps(written, indent=1)
    return read_mirrord(text.encode(), path, Files(files or {}))


def feature(**parts: object) -> dict[str, object]:
    return {"feature": parts}


def preview(**parts: object) -> dict[str, object]:
    return feature(preview=parts)


def incoming(said: object) -> dict[str, object]:
    return feature(network={"incoming": said})


def problems(written: object, files: dict[str, File] | None = None, path: str = PATH) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(written, files, path)
    return [f"{problem.line}: {problem.message}" for problem in refused.value.problems]


def test_a_file_that_says_nothing_takes_the_requests_with_the_key() -> None:
    parts = parts_of_mirrord(read({}))
    assert parts.incoming == IncomingRequests()
    assert parts.replicas == 1


@pytest.mark.parametrize(
    ("written", "target", "namespace"),
    [
        ("deployment/web", TargetPath("deployment", "web"), None),
        ("deploy/web/container/app", TargetPath("deployment", "web", "app"), None),
        ({"path": "statefulset/web", "namespace": "staging"}, TargetPath("statefulset", "web"), "staging"),
        ({"deployment": "web", "container": "app"}, TargetPath("deployment", "web", "app"), None),
        ({"path": {"stateful_set": "web"}}, TargetPath("statefulset", "web"), None),
        ({"namespace": "staging"}, None, "staging"),
        (None, None, None),
    ],
)
def test_a_target_has_several_forms(
    written: object, target: TargetPath | None, namespace: str | None
) -> None:
    found = read({"target": written})
    assert (found.target, found.namespace) == (target, namespace)


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("steal", IncomingRequests()),
        ("off", None),
        (False, None),
        (None, IncomingRequests()),
        ({"ports": [8080, 80, 8080]}, IncomingRequests((8080, 80))),
        ({"mode": "steal", "ignore_ports": [9090]}, IncomingRequests(ignore_ports=(9090,))),
        ({"http_filter": {"path_filter": "^/api/"}}, IncomingRequests(conditions=({"path": "^/api/"},))),
        ({"http_filter": {"header_filter": "^baggage: .*mirrord-session={{ key }}.*"}}, IncomingRequests()),
        (
            {
                "http_filter": {
                    "any_of": [
                        {"header": "^baggage: .*mirrord-session={{ key }}.*$"},
                        {"header": "^tracestate: .*mirrord-session={{key}}.*$"},
                    ]
                }
            },
            IncomingRequests(by_tracestate=True),
        ),
    ],
)
def test_requests_are_those_with_the_key_and_at_most_those(
    said: object, taken: IncomingRequests | None
) -> None:
    assert parts_of_mirrord(read(incoming(said))).incoming == taken


def test_the_key_stands_wherever_it_is_written() -> None:
    found = read(feature(env={"override": {"HOST": "{{ key }}.example.com"}}))
    assert found.variables is not None
    assert found.variables.overrides == {"HOST": f"{KEY}.example.com"}


def test_no_text_of_a_session_has_the_mark_of_the_key_instead_of_the_key() -> None:
    mount = {"mount_at": "/etc/{{ key }}", "type": "text", "payload": "{{ key }}"}
    secret = {"mount_at": "/run/{{ key }}", "type": "text", "payload": "s"}
    everywhere = {
        "feature": {
            "env": {"include": "{{ key }}", "override": {"A_{{ key }}": "{{ key }}"}},
            "network": {"incoming": {"http_filter": {"all_of": [{"path": "/{{ key }}"}]}}},
            "preview": {
                "labels": {"exclude": ["{{ key }}"]},
                "config_mounts": [mount],
                "secret_mounts": [secret],
            },
            "split_queues": {
                "orders-{{ key }}": {"queue_type": "SQS", "message_filter": {"{{ key }}": "{{ key }}"}}
            },
        }
    }
    spec = json.dumps(parts_spec("k", "staging", parts_of_mirrord(read(everywhere))), ensure_ascii=False)
    assert KEY not in spec
    assert "{{" not in spec


def test_how_long_a_preview_lives_and_when_it_sleeps() -> None:
    found = read(preview(ttl_mins=120, idle={"sleep_after_secs": 300}))
    assert found.ttl == timedelta(hours=2)
    assert parts_of_mirrord(found).idle == Idle(sleep_after=timedelta(minutes=5))


def test_files_that_nobody_has_read_yet_are_asked_for_from_both_places() -> None:
    files = Files()
    written = json.dumps(preview(config_mounts=[{"mount_at": "/etc/a", "from_file": "a.txt"}]))
    read_mirrord(written.encode(), PATH, files)
    assert files.wanted == {".mirrord/a.txt", "a.txt"}


@pytest.mark.parametrize("kind", ["config_mounts", "secret_mounts"])
@pytest.mark.parametrize(
    ("content", "fits"), [(b"a", 15), (b"\xff", 11), (b'"', 7), (b"<", 2), ("é".encode(), 15)], ids=repr
)
def test_mounts_are_refused_that_no_object_of_the_cluster_could_hold(
    content: bytes, fits: int, kind: str
) -> None:
    whole = content * (64 * 1024 // len(content))
    fits = fits if kind == "config_mounts" else 11

    def mounted(count: int) -> MirrordConfig:
        known: dict[str, File] = {f".mirrord/{number}": whole for number in range(count)}
        mounts = [{"mount_at": f"/etc/{number}", "from_file": str(number)} for number in range(count)]
        files = Files(known)
        return read_mirrord(json.dumps(preview(**{kind: mounts})).encode(), PATH, files)

    assert len(getattr(mounted(fits), kind)) == fits
    with pytest.raises(ConfigurationError, match="larger than an object of the cluster can hold"):
        mounted(fits + 1)
