"""Templates in keys of a mirrord file that a preview has no use for may stay; all others are refused."""

from __future__ import annotations

import json

import pytest

from previewbot.config.mirrord import read_mirrord
from previewbot.config.mirrord.files import Files
from previewbot.config.repository import parse
from previewbot.errors import ConfigurationError

IN_VAIN = (
    ("json", """{"key": "{{ get_env(name='USER', default='me') }}", "target": "deployment/web"}"""),
    ("json", """{"key": "{{ get_env(name="USER", default="me") }}", "target": "deployment/web"}"""),
    ("json", """{"feature": {"fs": {"mapping": {"/app": "{{get_env(name='PWD')}}/src"}}}}"""),
    ("json", """{"feature": {"fs": {"mapping": {"{{get_env(name='PWD')}}": "/app"}}}}"""),
    ("json", """{"feature": {"preview": {"image": "ghcr.io/acme/web:{{ git_branch }}"}}}"""),
    ("yaml", """key: "{{ get_env(name='USER') | lower }}"\nkube_context: dev-{{ git_branch }}\n"""),
    ("toml", """key = "{{ get_env(name='USER') }}-{{ key }}"\n"""),
)


@pytest.mark.parametrize(("end", "text"), IN_VAIN)
def test_a_template_in_a_key_that_a_preview_has_no_use_for_need_not_be_filled_in(end: str, text: str) -> None:
    config = read_mirrord(text.encode(), f"mirrord.{end}", Files({}))
    assert [note.message for note in config.notes if "has no effect" in note.message]


@pytest.mark.parametrize(
    "unused",
    [
        "key: '{{ key }}'",
        "feature: {fs: {mapping: {/app: 'src-{{ key }}'}}}",
        "profile: '{{ now() }}-{{ key }}'",
    ],
)
def test_nor_where_the_object_itself_stands_in_preview_yaml(unused: str) -> None:
    service = "{paths: [a], image: 'ghcr.io/acme/s:{head_sha}', namespace: staging, target: deployment/s,"
    config = parse(f"version: 1\nservices:\n s: {service} mirrord: {{{unused}}}}}\n")
    assert [note.message for note in config.notes if "has no effect" in note.message]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            """{"key": "{{ get_env(name='A') }}",\n "target": "{{ get_env(name='B') }}"}""",
            ["`{{ get_env(name='B') }}`"],
        ),
        ("""{"key": "{{ user }}"}""", ["`{{ user }}`"]),
        ("""{"key": "{{ get_env(name='A') }"}""", ["`{{ get_env(name='A') }\"}`"]),
        ("""{"key": {{ get_env(name='A') }}}""", ["`{{ get_env(name='A') }}`"]),
        ("""{"{{ get_env(name='A') }}": 1}""", ["`{{ get_env(name='A') }}`"]),
    ],
)
def test_a_template_that_would_have_to_be_filled_in_is_told_alone(text: str, lines: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_mirrord(text.encode(), "mirrord.json", Files({}))
    told = [problem.message.split(" is not filled in")[0] for problem in refused.value.problems]
    assert told == lines


@pytest.mark.parametrize(
    ("end", "text", "told"),
    [
        (
            "json",
            '{"key": "{{ now() }}",\n// ours\n"target": "deployment/web"}',
            (2, "comments are not allowed"),
        ),
        ("json", '{"key": "{{ now() }}",\n"api": true,\n"api": true}', (3, "twice")),
        ("json", '{"key": "{{ now() }}",\n"api": true,\n}', (2, "comma")),
        ("toml", 'key = "{{ now() }}"\napi: true', (2, "is not TOML")),
        ("yaml", 'key: "{{ now() }}"\napi: [true', (2, "is not YAML")),
        ("ini", 'key = "{{ now() }}"', (0, "`.ini`")),
    ],
)
def test_where_something_else_is_wrong_that_is_told_and_no_template_that_may_stay(
    end: str, text: str, told: tuple[int, str]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_mirrord(text.encode(), f"mirrord.{end}", Files({}))
    [problem] = refused.value.problems
    assert problem.line == told[0]
    assert told[1] in problem.message
    assert "is not filled in" not in problem.message


@pytest.mark.parametrize("text", ['{"key": "\ue001"}', '{"key": "\\ue001"}'])
def test_nobody_writes_the_mark_of_a_template_himself(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"U\+E001"):
        read_mirrord(text.encode(), "mirrord.json", Files({}))


@pytest.mark.parametrize(
    ("header", "told"), [("^User-Agent: (?!kube-probe)", False), ("^X-Tenant: a$", True)]
)
def test_of_a_header_that_the_link_does_not_send_a_note_tells(header: str, told: bool) -> None:
    text = json.dumps(
        {"feature": {"network": {"incoming": {"mode": "steal", "http_filter": {"header_filter": header}}}}}
    )
    config = read_mirrord(text.encode(), "mirrord.json", Files({}))
    assert any("would not reach the preview" in note.message for note in config.notes) == told
