"""What is wrong with a mirrord file is told with its line, its whole key, and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.config.mirrord.files import File, NoFile
from tests.unit.test_mirrord_file import feature, incoming, preview, problems, read

KEY_FILTER = "^baggage: .*mirrord-session={{ key }}.*$"


def steal(http_filter: object) -> dict[str, object]:
    return incoming({"mode": "steal", "http_filter": http_filter})


def mount(**said: Any) -> dict[str, object]:
    return preview(config_mounts=[{"mount_at": "/etc/a", **said}])


@pytest.mark.parametrize(
    ("written", "told"),
    [
        # Unknown and wrong keys
        ({"features": {}}, "2: `features` is unknown; did you mean `feature`?"),
        (feature(network={"incomming": "steal"}), "did you mean `incoming`?"),
        ({"key": ""}, "2: `key` is empty: mirrord would take the requests of all sessions"),
        ({"operator": "no"}, "2: `operator` must be true or false"),
        (feature(env={"override": {"A": 1}}), "`feature.env.override.A` must be a text; put `1` in quotes"),
        (feature(env={"override": {"A=B": "1"}}), "has `A=B`, which no variable may be called"),
        (feature(env={"include": "A", "exclude": "B"}), "env.exclude` cannot stand beside `include`"),
        (preview(replicas=1.5), "`feature.preview.replicas` must be a whole number from 0"),
        (preview(replicas=0), "is 0: the preview would never answer"),
        (preview(ttl_secs="forever"), 'must be a whole number, or `"infinite"`'),
        (preview(ttl_secs=True), 'must be a whole number, or `"infinite"`'),
        (preview(idle=True), "`feature.preview.idle` must hold keys"),
        # The target
        ({"target": "web"}, "`target.path` must be kind/name"),
        ({"target": "deploy"}, "`target.path` must be kind/name"),
        ({"target": "deployment/Web"}, "must name a workload (and container) in small letters"),
        ({"target": "deployment/web/app"}, "must be deployment/<name> or deployment/<name>/container/<name>"),
        ({"target": "deployment/{{ key }}"}, "cannot have `{{ key }}` in it"),
        ({"target": {"deployment": "web", "pod": "x"}}, "must name one workload, by one of deployment"),
        ({"target": {"path": 5}}, "must be a text like `deployment/web`"),
        ({"target": {"path": "deployment/web", "namespace": "Shop"}}, "`target.namespace` must be a name"),
        ({"operator": False, "target": "statefulset/web"}, "mirrord needs its operator for a statefulset"),
        ({"operator": False, **feature(copy_target=True)}, "mirrord needs its operator for `copy_target`"),
        # Requests
        (incoming("mirror"), 'so that both act on each; write `"steal"`'),
        (incoming(True), 'write `"steal"`'),
        (incoming({"mode": "mirror"}), "`feature.network.incoming.mode` copies requests"),
        (incoming({"mode": "stea"}), "must be `steal` or `off`, not `stea`; did you mean `steal`?"),
        (incoming({"ports": []}), 'leave it out for all ports, or write `"incoming": "off"` for none'),
        (incoming({"ports": [0]}), "`feature.network.incoming.ports[0]` must be a port"),
        (incoming({"ports": [80], "ignore_ports": [81]}), "cannot stand beside `ports`"),
        (incoming({"port_mapping": [[1, 2], [1, 3]]}), "has 1 twice on one side"),
        (incoming({"port_mapping": [[1, 2, 3]]}), "must be two ports, like `[8080, 80]`"),
        (
            incoming({"tls_delivery": {"protocol": "tls"}, "https_delivery": {"protocol": "tcp"}}),
            "cannot stand beside `tls_delivery`",
        ),
        (incoming({"tls_delivery": {"protocol": "udp"}}), "tls_delivery.protocol` must be tcp or tls"),
        # Filters
        (incoming({"http_filter": {"any_of": [{"header": KEY_FILTER}]}}), "without the preview's key"),
        (
            incoming({"http_filter": {"any_of": [{"header": KEY_FILTER}, {"path": "/a"}]}}),
            "or exactly the headers `^baggage: .*mirrord-session={{ key }}.*$` and `^tracestate:",
        ),
        (
            incoming({"http_filter": {"path_filter": "/a", "all_of": [{"path": "/b"}]}}),
            "cannot stand beside `path_filter`",
        ),
        (incoming({"http_filter": {"all_of": [{"path": "/a", "method": "GET"}]}}), "must be one filter"),
        (incoming({"http_filter": {"all_of": [{"body": "json", "query": "$.a"}]}}), "must be one filter"),
        (
            incoming({"http_filter": {"all_of": [{"body": "json", "query": "a", "matches": "b"}]}}),
            "`feature.network.incoming.http_filter.all_of[0].query` is no JSONPath: `a`",
        ),
        (incoming({"http_filter": {"header_filter": "("}}), "has `(`, which is no regular expression"),
        (incoming({"http_filter": {"header_filter_jq": "a |"}}), "is no jq program"),
        (incoming({"http_filter": {"path_filter": "x" * 1_001}}), "is too long; use at most 1000"),
        # Mounts
        (mount(type="text", payload="a", from_file="b"), "has both `payload` and `from_file`"),
        (mount(), "`feature.preview.config_mounts[0]` has neither `payload` nor `from_file`"),
        (mount(payload="a"), "has a `payload` without `type`"),
        (mount(from_file="a", type="text"), "cannot stand beside `from_file`"),
        (mount(type="binary", payload="a"), "must be base64"),
        (mount(type="binary", payload="YQ"), "must be base64"),
        (mount(type="text", payload="a", mode="0644"), "config_mounts[0].mode` is unknown"),
        (preview(config_mounts=[{"mount_at": "/a:b", "payload": "", "type": "text"}]), "the path of a file"),
        (
            preview(config_mounts=[{"mount_at": "/a/../b", "payload": "", "type": "text"}]),
            "the path of a file",
        ),
        (preview(config_mounts=[{"mount_at": "/", "payload": "", "type": "text"}]), "the path of a file"),
        (
            preview(config_mounts=[{"mount_at": "/a", "payload": "", "type": "text"}] * 2),
            "`feature.preview.config_mounts[1].mount_at` is the place of another file above: `/a`",
        ),
        (
            preview(
                config_mounts=[{"mount_at": "/a", "payload": "", "type": "text"}],
                secret_mounts=[{"mount_at": "/a", "payload": "", "type": "text"}],
            ),
            "`feature.preview.secret_mounts[0].mount_at` is the place of another file above",
        ),
        (
            preview(secret_mounts=[{"mount_at": "/a", "payload": "{{ key }}", "type": "text"}]),
            "has `{{ key }}` in a secret",
        ),
        # What is about a machine is read as strictly
        (
            feature(env={"mapping": {"(": "a"}}),
            "`feature.env.mapping` has `(`, which is no regular expression",
        ),
        (feature(network={"outgoing": {"filter": {}}}), "must have either `local` or `remote`"),
        (
            feature(network={"outgoing": {"filter": {"remote": "http://a"}}}),
            "has `http://a`, which is no name",
        ),
        (feature(network={"outgoing": {"filter": {"remote": "tcp://a:70000"}}}), "which is no name"),
        (feature(network={"outgoing": {"filter": {"local": ["10.0.0.0/40"]}}}), "which is no name"),
        (feature(network={"dns": {"filter": {"local": "tcp://a"}}}), "has `tcp://a`, which is no name"),
        (
            incoming({"tls_delivery": {"protocol": "tls", "server_name": "a b"}}),
            "tls_delivery.server_name` must be a DNS name or an address, not `a b`",
        ),
        (
            incoming({"tls_delivery": {"protocol": "tls", "server_cert": "a", "trust_roots": ["b"]}}),
            "cannot stand beside `trust_roots`",
        ),
        ({"agent": {"log_levle": "info"}}, "`agent.log_levle` is unknown; did you mean `log_level`?"),
        (feature(fs={"mode": "all"}), "`feature.fs.mode` must be local or localwithoverrides"),
        (feature(fs={"readonly_file_buffer": 2**24}), "must be at most 15728640"),
        ({"startup_retry": {"max_ms": 0}}, "`startup_retry.max_ms` must be a whole number from 1"),
        ({"startup_retry": {"min_ms": 6_000}}, "must be at most max_ms"),
    ],
)
def test_a_mistake_is_told_in_words(written: object, told: str) -> None:
    (problem,) = problems(written)
    assert told in problem


FILES: dict[str, File] = {
    ".mirrord/link": NoFile.LINK,
    "link": NoFile.MISSING,
    ".mirrord/folder": NoFile.FOLDER,
    "folder": NoFile.MISSING,
    ".mirrord/big": NoFile.TOO_LARGE,
    "big": NoFile.MISSING,
    ".mirrord/none": NoFile.MISSING,
    "none": NoFile.MISSING,
    ".mirrord/mark": "\ue000".encode(),
    "mark": NoFile.MISSING,
    ".mirrord/huge": b"x" * 65_537,
    "huge": NoFile.MISSING,
    **{f".mirrord/{n}": b"x" * 65_536 for n in range(17)},
    **{str(n): NoFile.MISSING for n in range(17)},
}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/etc/passwd", "has `/etc/passwd`, the path of somebody's machine"),
        ("C:\\a", "the path of somebody's machine"),
        ("../../etc/passwd", "has `../../etc/passwd`, which leads out of its folder"),
        ("a/../b", "which leads out of its folder"),
        ("a//b", "in which a part is empty"),
        ("a/./b", "in which a part is empty, a dot"),
        ("", "in which a part is empty"),
        ("a\\b", "has a sign that is none of a path"),
        ("a\0b", "has a sign that is none of a path"),
        ("{{ key }}", "has a sign that is none of a path"),
        ("link", "names `link`, which is a link; name the file itself"),
        ("folder", "names `folder`, which is a folder"),
        ("big", "names `big`, which is larger than 64 KiB"),
        ("huge", "names `huge`, which is larger than 64 KiB"),
        ("none", "names `none`, which is not in the repository as `.mirrord/none` or `none`"),
        ("mark", "has the character U+E000 in it"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_in_words(path: str, told: str) -> None:
    (problem,) = problems(mount(from_file=path), FILES)
    assert told in problem


def test_files_are_limited_together() -> None:
    mounts = [{"mount_at": f"/{n}", "from_file": f"{n}"} for n in range(17)]
    (problem,) = problems(preview(config_mounts=mounts), FILES)
    assert "makes the named files larger than 1 MiB together" in problem


def test_all_mistakes_are_told_in_the_order_of_their_lines() -> None:
    told = problems({"a": 1, "target": "web", "key": 5, "feature": {"preview": {"replicas": 0}}})
    assert [problem.split(":")[0] for problem in told] == ["2", "3", "4", "7"]


@pytest.mark.parametrize(
    "entry",
    [
        "db.internal",
        "tcp://10.0.0.0/8:5432",
        "UDP://:53",
        ":80",
        "[2800:3f0::4]:80",
        "tcp://",
        "1.2.3.4",
    ],
)
def test_addresses_of_somebodys_machine_are_read_as_mirrord_does(entry: str) -> None:
    assert read(feature(network={"outgoing": {"filter": {"remote": entry}}})).notes


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, []),
        ({"key": "pr-1"}, ["2: `key` has no effect: each pull request has a key of its own"]),
        ({"profile": "team"}, ["2: `profile` has no effect on a preview"]),
        (preview(image="a:1"), ["4: `feature.preview.image` has no effect: a preview runs the image of the"]),
        (preview(creation_timeout_secs=5), ["has no effect: previewbot's settings say how long"]),
        (preview(ttl_mins="infinite"), ["is as long as the settings allow: every preview ends"]),
        (preview(idle={"wake_timeout_secs": 5}), ["has no effect without `sleep_after_secs`"]),
        (incoming("steal"), []),
        (incoming({"ports": [80]}), ["has no `mode`: the preview answers the requests with its key"]),
        (steal({"header_filter": "x-preview: {{ key }}"}), ["asks for the header `x-preview` too"]),
        (steal({"header_filter": "baggage: a"}), []),
        (steal({"path_filter": "/a", "ports": 80}), ["http_filter.ports` has no effect on a preview"]),
        (feature(copy_target=True), ["`feature.copy_target` has no effect on a preview"]),
    ],
)
def test_what_has_no_effect_is_said(written: object, said: list[str]) -> None:
    notes = [f"{note.line}: {note.message}" for note in read(written).notes]
    assert len(notes) == len(said)
    assert all(words in note for words, note in zip(said, notes, strict=True)), notes


def test_what_may_be_secret_is_told_for_repositories_that_may_not_have_it() -> None:
    written = {
        "feature": {
            "env": {"env_file": "a.env"},
            "preview": {"secret_mounts": [{"mount_at": "/a", "type": "text", "payload": "s"}]},
        }
    }
    found = read(written, {".mirrord/a.env": b"A=1", "a.env": NoFile.MISSING})
    assert [problem.line for problem in found.secrets] == [4, 8]
    assert "ask the platform team for `secrets: true`" in found.secrets[0].message


def test_the_content_of_a_secret_is_in_no_text_that_is_printed() -> None:
    written = preview(secret_mounts=[{"mount_at": "/a", "type": "text", "payload": "hunter2"}])
    assert "hunter2" not in repr(read(written))
    assert "aHVudGVyMg" not in repr(read(written))
