"""`mirrord:` in `preview.yaml`: a file of the repository or the object itself, and what both places say."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.mirrord.files import File, Files, FilesWanted, NoFile
from previewbot.config.repository import RepositoryConfig, parse, parse_asking
from previewbot.engine.parts import IncomingRequests
from previewbot.engine.translation import parts_of
from previewbot.errors import ConfigurationError
from previewbot.rules.bounds import check_against
from previewbot.rules.repositories import Bounds

PATH = ".mirrord/mirrord.json"
TARGET = {"path": "deployment/web", "namespace": "staging"}
SHORT = f"""\
version: 1
services:
  web:
    paths: ["web/**"]
    image: ghcr.io/acme/web:{{head_sha}}
    mirrord: {PATH}
"""
BOUNDS = Bounds(("staging",), ("staging",), ("ghcr.io/acme/",), timedelta(hours=8))


def read(content: str, files: dict[str, File] | None = None, **said: Any) -> RepositoryConfig:
    """Read a configuration whose mirrord file says the target and this."""
    known = {PATH: json.dumps({"target": TARGET, **said}, indent=1).encode(), **(files or {})}
    return parse(content, files=Files(known))


def problems(content: str, files: dict[str, File] | None = None, **said: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(content, files, **said)
    return [f"{p.file}:{p.line}: {p.message}" for p in caught.value.problems]


def network(incoming: object) -> dict[str, Any]:
    return {"feature": {"network": {"incoming": incoming}}}


def test_what_a_mirrord_file_says_may_be_left_out() -> None:
    config = read(SHORT, **network({"mode": "steal", "ports": [8080]}))
    [web] = config.services

    assert (str(web.target), web.namespace) == ("deployment/web", "staging")
    assert parts_of(config, web).incoming == IncomingRequests((8080,))


def test_the_object_itself_may_stand_in_its_place() -> None:
    said = {"target": TARGET, **network({"mode": "steal", "ports": [8080]})}
    inline = SHORT.replace(PATH, json.dumps(said))

    assert parse(inline).services == read(SHORT, **network({"mode": "steal", "ports": [8080]})).services


def test_a_file_that_nobody_has_read_is_asked_for_before_anything_is_called_wrong() -> None:
    with pytest.raises(FilesWanted) as wanted:
        parse(SHORT.replace("paths:", "pahts:"))

    assert wanted.value.paths == {PATH}


def test_files_that_a_mirrord_file_names_are_asked_for_then() -> None:
    mounts: dict[str, Any] = {
        "feature": {"preview": {"config_mounts": [{"mount_at": "/etc/a", "from_file": "a.txt"}]}}
    }
    with pytest.raises(FilesWanted) as wanted:
        read(SHORT, **mounts)
    config = read(SHORT, {".mirrord/a.txt": NoFile.MISSING, "a.txt": b"hello"}, **mounts)
    [web] = config.services

    assert wanted.value.paths == {".mirrord/a.txt", "a.txt"}
    assert [mount.data for mount in parts_of(config, web).config_mounts] == ["hello"]


@pytest.mark.parametrize(
    ("added", "said", "told"),
    [
        ("target: deployment/api", {}, "`target` is `deployment/web` in `.mirrord/mirrord.json`; keep one"),
        ("target: deployment/web/container/a", {"target": "deployment/web/container/b"}, "`target` is"),
        ("namespace: prod", {}, "`namespace` is `staging` in `.mirrord/mirrord.json`; keep one of the two"),
        ("ports: [81]", network({"mode": "steal", "ports": [80]}), "`ports` names other ports than"),
        ("ports: [81]", network({"mode": "steal", "ignore_ports": [80]}), "`ports` names other ports than"),
        ("ports: [80]", network("off"), "`ports` names ports, but `.mirrord/mirrord.json` takes no requests"),
        ("ports: []", network("steal"), "`ports` is empty, so that no requests are taken, but"),
    ],
)
def test_a_contradiction_is_told_at_its_line(added: str, said: dict[str, Any], told: str) -> None:
    lines = problems(f"{SHORT}    {added}\n", **said)

    assert any(line.startswith(f":7: {told}") for line in lines), lines


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("target: deployment/web", {}),
        ("target: deployment/web/container/app", {}),
        ("namespace: staging", {}),
        ("ports: [80, 81]", network({"mode": "steal", "ports": [81, 80]})),
        ("ports: [80]", network("steal")),
        ("ports: []", network("off")),
        ("ports: []", {}),
    ],
)
def test_what_both_say_alike_is_no_contradiction(added: str, said: dict[str, Any]) -> None:
    read(f"{SHORT}    {added}\n", **said)


@pytest.mark.parametrize("port", ["'٣'", f"'{'1' * 5_000}'", "'080808'"])
def test_of_what_is_no_port_it_is_told_and_not_that_the_mirrord_file_has_others(port: str) -> None:
    assert problems(f"{SHORT}    ports: [{port}]\n", **network({"mode": "steal", "ports": [80]})) == [
        ":7: `ports` must be a port, a number from 1 to 65535"
    ]


@pytest.mark.parametrize("kind", ["config_mounts", "secret_mounts"])
@pytest.mark.parametrize("content", [b"text", bytes([255])], ids=["text", "binary"])
def test_a_file_that_many_services_have_is_in_memory_once(kind: str, content: bytes) -> None:
    said = {"feature": {"preview": {kind: [{"mount_at": "/etc/a", "from_file": "a"}]}}}
    defaults = (
        "{paths: [a], image: 'ghcr.io/acme/s:{head_sha}', namespace: staging, mirrord: '{service}.json'}"
    )
    files = {f"{name}.json": json.dumps({"target": f"deploy/{name}", **said}).encode() for name in ("b", "c")}
    text = f"version: 1\ndefaults: {defaults}\nservices: {{b: {{}}, c: {{}}}}\n"
    config = parse(text, files=Files({**files, "a": content}))
    one, other = (getattr(service.mirrord, kind)[0].data for service in config.services)

    # Of 285 services with 900 KB of it each would be 240 MB, of 512 that the controller has.
    assert one is other


def test_the_container_may_stand_in_either_place() -> None:
    [here] = read(f"{SHORT}    target: deployment/web/container/app\n").services
    whole = SHORT + "    target: deployment/web\n    namespace: staging\n"
    [there] = read(whole, target="deploy/web/container/app").services

    assert str(here.target) == str(there.target) == "deployment/web/container/app"


def test_what_neither_says_is_missing() -> None:
    lines = problems(SHORT, target={})

    assert [line.split(";")[0] for line in lines] == [
        ":4: `services.web.target` is missing",
        ":4: `services.web.namespace` is missing",
    ]


def test_a_mistake_in_a_mirrord_file_is_told_with_its_file_and_line_and_once() -> None:
    two = (
        SHORT
        + "  api:\n    paths: [api]\n    image: ghcr.io/acme/api:{head_sha}\n    mirrord: "
        + PATH
        + "\n"
    )
    lines = problems(two, {PATH: b'{\n "feature": {\n  "netwrk": 1\n }\n}'})

    assert lines == [f"{PATH}:3: `feature.netwrk` is unknown; did you mean `network`?"]


def test_mistakes_in_both_files_are_told_together() -> None:
    lines = problems(SHORT.replace("image: ghcr", "image: https://ghcr"), {PATH: b"{"})

    assert [line.split(": ")[0] for line in lines] == [":5", f"{PATH}:1"]


@pytest.mark.parametrize(
    ("path", "file", "told"),
    [
        (PATH, NoFile.MISSING, "names `.mirrord/mirrord.json`, which is not in the repository; add it"),
        (PATH, NoFile.LINK, "which is a link; name the file itself"),
        (PATH, NoFile.FOLDER, "which is a folder; name a file in it"),
        (PATH, NoFile.TOO_LARGE, "which is larger than 64 KiB"),
        ("/etc/mirrord.json", b"{}", "has `/etc/mirrord.json`, the path of somebody's machine"),
        ("../mirrord.json", b"{}", "has `../mirrord.json`, which leads out of its folder"),
        ("a//mirrord.json", b"{}", "in which a part is empty"),
        (".mirrord\\mirrord.json", b"{}", "or has a sign that is none of a path"),
        ("[a.json, b.json]", b"{}", "must be the path of a mirrord file, like .mirrord/mirrord.json"),
        ("5", b"{}", "must be the path of a mirrord file, like .mirrord/mirrord.json"),
    ],
)
def test_a_path_that_leads_to_no_file_is_told_where_it_is_written(path: str, file: File, told: str) -> None:
    lines = problems(SHORT.replace(PATH, path), {PATH: file, path: file})

    assert any(line.startswith(":6: `mirrord` ") and told in line for line in lines), lines


@pytest.mark.parametrize(
    ("inline", "told"),
    [
        ("{feature: {netwrk: 1}}", ":6: `feature.netwrk` is unknown; did you mean `network`?"),
        ('{target: "{{ get_env(name=1) }}"}', ":6: `{{ get_env(name=1) }}` is not filled in"),
        ('{key: "{% if x %}"}', ":6: `{% if x %}` is not filled in"),
        ('{key: "\ue000"}', ":6: `key` has the character U+E000"),
        ("{key: a, key: b}", ":6: `key` is written twice, first in line 6; keep one"),
        (
            "{feature: {network: {incoming: {ports: 80}}}}",
            ":6: `feature.network.incoming.ports` must be a list",
        ),
    ],
)
def test_a_mistake_in_an_object_is_told_at_its_line(inline: str, told: str) -> None:
    lines = problems(SHORT.replace(PATH, inline))

    assert any(line.startswith(told) for line in lines), lines


def test_a_mistake_in_the_object_of_defaults_is_told_once() -> None:
    lines = problems(
        "version: 1\ndefaults:\n  paths: [x]\n  target: deployment/x\n  namespace: staging\n"
        "  image: ghcr.io/acme/x:{head_sha}\n  mirrord: {feature: {netwrk: 1}}\n"
        "services:\n  a: {target: deployment/a}\n  b: {target: deployment/b}\n"
    )

    assert lines == [":7: `feature.netwrk` is unknown; did you mean `network`?"]


def test_the_path_in_defaults_may_have_the_services_name() -> None:
    content = (
        "version: 1\ndefaults: {paths: ['{service}/**'], image: 'ghcr.io/acme/x:{head_sha}', "
        "mirrord: '.mirrord/{service}.json'}\nservices: {a: , b: }\n"
    )
    files: dict[str, File] = {
        f".mirrord/{name}.json": json.dumps({"target": {**TARGET, "path": f"deployment/{name}"}}).encode()
        for name in "ab"
    }

    assert [str(each.target) for each in parse(content, files=Files(files)).services] == [
        "deployment/a",
        "deployment/b",
    ]


def test_the_shortest_life_of_the_mirrord_files_counts_where_preview_yaml_says_none() -> None:
    said: dict[str, Any] = {"feature": {"preview": {"ttl_mins": 90}}}

    assert read(SHORT, **said).ttl == timedelta(minutes=90)
    assert read("ttl: 2h\n" + SHORT, **said).ttl == timedelta(hours=2)


def test_what_has_no_effect_is_noted_with_its_file() -> None:
    [note] = read(SHORT, key="mine").notes

    assert (note.file, note.message.split(":")[0]) == (PATH, "`key` has no effect")


@pytest.mark.parametrize(
    ("preview", "told"),
    [
        ({"replicas": 4}, "asks for 4 replicas of `web`, of which there may be 3"),
        ({"ttl_mins": 600}, "how long previews live must be at most 8h here, also in a mirrord file"),
        ({"secret_mounts": [{"mount_at": "/s", "payload": "x", "type": "text"}]}, "settings do not allow"),
    ],
)
def test_what_the_settings_do_not_allow_is_told(preview: dict[str, Any], told: str) -> None:
    [problem] = check_against(read(SHORT, feature={"preview": preview}), BOUNDS)

    assert told in problem.message


@pytest.mark.parametrize("preview", [{"replicas": 3}, {"ttl_mins": "infinite"}, {"ttl_mins": 480}])
def test_what_the_settings_allow_is_taken(preview: dict[str, Any]) -> None:
    assert check_against(read(SHORT, feature={"preview": preview}), BOUNDS) == ()


def test_what_may_trigger_is_known_without_the_files() -> None:
    asking = parse_asking(SHORT + "triggers: {agents: false, labels: [qa]}\n")

    assert asking is not None
    assert (asking[0].agents, asking[0].labels) == (False, ("qa",))
    assert parse_asking("version: [") is None


FILTERS = st.fixed_dictionaries({}, optional={"path_filter": st.sampled_from(["^/api/", "^/{{ key }}/"])})
INCOMING = st.one_of(
    st.just("steal"),
    st.just("off"),
    st.fixed_dictionaries(
        {"mode": st.just("steal")},
        optional={"ports": st.lists(st.integers(1, 65535), min_size=1, max_size=3), "http_filter": FILTERS},
    ),
)
OBJECTS = st.fixed_dictionaries(
    {"target": st.just(TARGET)},
    optional={
        "feature": st.fixed_dictionaries(
            {},
            optional={
                "network": st.fixed_dictionaries({"incoming": INCOMING}),
                "env": st.fixed_dictionaries(
                    {"override": st.dictionaries(st.sampled_from(["A", "B_C"]), st.text("ab \n{}:#'\"é"))}
                ),
                "preview": st.fixed_dictionaries({"replicas": st.integers(1, 3)}),
            },
        )
    },
)


@given(OBJECTS)
def test_a_file_and_the_same_object_are_the_same_configuration(said: dict[str, Any]) -> None:
    inline = yaml.safe_load(SHORT)
    inline["services"]["web"]["mirrord"] = said
    files = {PATH: json.dumps(said).encode()}

    try:
        by_file = parse(SHORT, files=Files(files)).services
    except ConfigurationError:
        with pytest.raises(ConfigurationError):
            parse(yaml.safe_dump(inline))
        return
    assert parse(yaml.safe_dump(inline)).services == by_file


def test_a_mirrord_file_that_lets_sleep_what_takes_no_requests_is_refused_at_the_ports() -> None:
    idle: dict[str, Any] = {"feature": {"preview": {"idle": {"sleep_after_secs": 300}}}}
    worker = SHORT + "    ports: []\n"

    assert read(SHORT, **idle).services[0].mirrord is not None
    (told,) = problems(worker, **idle)
    assert "`ports` would let the preview sleep and never wake" in told
