"""Image references: what they mean, what they may not be, and which are allowed."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.config.registries import registry_name
from previewbot.config.repository import IMAGE_FIELDS
from previewbot.rules.images import (
    ImageReference,
    is_allowed,
    parse_reference,
    render_template,
    sanitise_branch,
    template_fields,
    well_formed,
    with_digest,
)

HEAD = "0123456789abcdef0123456789abcdef01234567"
MERGE = "fedcba9876543210fedcba9876543210fedcba98"
DIGEST = "sha256:" + "0" * 64

_names = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}", fullmatch=True)
_hosts = st.from_regex(
    r"(localhost|[a-z0-9]{1,6}(-[a-z0-9]{1,6})?(\.[a-z0-9]{1,6}){1,2}|\[::1\])(:[1-9][0-9]{0,3})?",
    fullmatch=True,
).map(registry_name)
_tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
_repositories = st.lists(_names, min_size=2, max_size=4).map("/".join)
_references = st.builds(ImageReference, _hosts, _repositories, _tags)


def rendered(template: str, **changed: str) -> str:
    values = {
        "head_sha": HEAD,
        "merge_sha": MERGE,
        "branch": "feature/cart",
        "service": "checkout",
        **changed,
    }
    return render_template(template, number=42, **values)


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag"),
    [
        ("ghcr.io/acme/web:1.2", "ghcr.io", "acme/web", "1.2"),
        ("ghcr.io/acme/web", "ghcr.io", "acme/web", "latest"),
        ("registry.internal:5000/web:x", "registry.internal:5000", "web", "x"),
        ("registry.internal:5000/web", "registry.internal:5000", "web", "latest"),
        ("registry:5000/acme/shop/web:x", "registry:5000", "acme/shop/web", "x"),
        ("localhost/web:x", "localhost", "web", "x"),
        ("[::1]:5000/web:x", "[::1]:5000", "web", "x"),
        ("[2001:DB8::7]/acme/web:x", "[2001:db8::7]", "acme/web", "x"),
        ("[::ffff:127.0.0.1]:5000/acme/web", "[::ffff:127.0.0.1]:5000", "acme/web", "latest"),
        ("127.0.0.1:5000/acme/web:x", "127.0.0.1:5000", "acme/web", "x"),
        ("web", "docker.io", "library/web", "latest"),
        ("web:5000", "docker.io", "library/web", "5000"),
        ("acme/web:x", "docker.io", "acme/web", "x"),
        ("docker.io/web:x", "docker.io", "library/web", "x"),
        ("docker.io/acme/web:x", "docker.io", "acme/web", "x"),
        ("index.docker.io/web:x", "docker.io", "library/web", "x"),
        ("GHCR.io/acme/web:V1", "ghcr.io", "acme/web", "V1"),
        ("ghcr.io/acme/web_a__b.c--d:_x", "ghcr.io", "acme/web_a__b.c--d", "_x"),
        ("ghcr.io/acme/web:" + "x" * 128, "ghcr.io", "acme/web", "x" * 128),
    ],
)
def test_a_reference_means_what_docker_means_by_it(
    text: str, registry: str, repository: str, tag: str
) -> None:
    assert ImageReference(registry, repository, tag) == parse_reference(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'library/' is no repository"),
        (":x", "'library/' is no repository"),
        ("ghcr.io/", "'' is no repository"),
        ("ghcr.io/acme/web:", "'' is no tag"),
        ("ghcr.io/acme/web:.x", "'.x' is no tag"),
        ("ghcr.io/acme/web:-x", "'-x' is no tag"),
        ("ghcr.io/acme/web:ü", "'ü' is no tag"),
        ("ghcr.io/acme/web:x\n", "is no tag"),
        ("ghcr.io/acme/web:" + "x" * 129, "is no tag"),
        ("ghcr.io/acme/web:{branch}", "'{branch}' is no tag"),
        ("ghcr.io/Acme/web:x", "'Acme/web' is no repository; it is written in small letters"),
        ("ghcr.io/acme//web:x", "'acme//web' is no repository"),
        ("ghcr.io/acme/../web:x", "'acme/../web' is no repository"),
        ("ghcr.io/acme/web-:x", "'acme/web-' is no repository"),
        ("ghcr.io/acme/web?a=b:x", "'acme/web?a=b' is no repository"),
        ("ghcr.io/" + "a" * 256 + ":x", "its repository has more than 255 characters"),
        ("https://ghcr.io/acme/web:x", "'https:' is no registry's host"),
        ("ghcr.io#/acme/web:x", "'ghcr.io#' is no registry's host"),
        ("ghcr..io/acme/web:x", "'ghcr..io' is no registry's host"),
        ("-ghcr.io/acme/web:x", "'-ghcr.io' is no registry's host"),
        ("ghcr.io:/acme/web:x", "'ghcr.io:' is no registry's host"),
        ("ghcr.io:99999/acme/web:x", "'ghcr.io:99999' is no registry's host"),
        ("ghcr.io:0/acme/web:x", "'ghcr.io:0' is no registry's host"),
        ("[:::]:5000/acme/web:x", "'[:::]:5000' is no registry's host"),
        ("[::1]x/acme/web:x", "'[::1]x' is no registry's host"),
        ("[::1]:0/acme/web:x", "'[::1]:0' is no registry's host"),
        ("[1.2.3]/acme/web:x", "'[1.2.3]' is no registry's host"),
        ("me:pw@ghcr.io/acme/web:x", "names a digest"),
        (f"ghcr.io/acme/web@{DIGEST}", "names a digest; an image is looked for by its tag"),
        (f"ghcr.io/acme/web:x@{DIGEST}", "names a digest; an image is looked for by its tag"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        parse_reference(text)

    assert repr(text) in str(caught.value)
    assert not well_formed(text)


@given(_references)
def test_a_reference_written_out_is_read_as_itself(reference: ImageReference) -> None:
    assert reference == parse_reference(str(reference))
    assert well_formed(str(reference))


@given(st.text())
@example("a" * 5000 + "!")
@example("a." * 2000 + "!/x")
def test_any_text_is_a_reference_or_a_value_error(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except ValueError:
        assert not well_formed(text)
    else:
        assert parsed == parse_reference(str(parsed))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("ghcr.io/acme/web:{head_sha}", f"ghcr.io/acme/web:{HEAD}"),
        ("ghcr.io/acme/web:sha-{short_sha}", "ghcr.io/acme/web:sha-0123456"),
        ("ghcr.io/acme/web:{merge_sha}", f"ghcr.io/acme/web:{MERGE}"),
        ("ghcr.io/acme/web:sha-{short_merge_sha}", "ghcr.io/acme/web:sha-fedcba9"),
        ("ghcr.io/acme/web:pr-{number}", "ghcr.io/acme/web:pr-42"),
        ("ghcr.io/acme/web:pr-{number}-{short_merge_sha}", "ghcr.io/acme/web:pr-42-fedcba9"),
        ("ghcr.io/acme/{service}:{branch}", "ghcr.io/acme/checkout:feature-cart"),
        ("ghcr.io/acme/{service}-{service}:{number}-{number}", "ghcr.io/acme/checkout-checkout:42-42"),
        ("ghcr.io/acme/web:latest", "ghcr.io/acme/web:latest"),
        ("ghcr.io/acme/web:{sha}-{Number}-{}", "ghcr.io/acme/web:{sha}-{Number}-{}"),
    ],
)
def test_a_template_is_filled_in_and_what_it_does_not_know_stays(template: str, expected: str) -> None:
    assert expected == rendered(template)


def test_a_value_is_never_a_template_itself() -> None:
    assert rendered("{service}:{branch}", service="{number}", branch="{number}") == "{number}:-number-"


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ("ghcr.io/acme/web:latest", set()),
        ("ghcr.io/acme/{service}:{branch}-{branch}", {"service", "branch"}),
        ("ghcr.io/acme/web:{odd}", {"odd"}),
        ("".join(f"{{{field}}}" for field in IMAGE_FIELDS), set(IMAGE_FIELDS)),
    ],
)
def test_the_fields_of_a_template_are_the_names_in_braces(template: str, fields: set[str]) -> None:
    assert fields == template_fields(template)


@pytest.mark.parametrize("field", IMAGE_FIELDS)
def test_every_field_that_a_configuration_may_have_is_filled_in(field: str) -> None:
    assert "{" not in rendered(f"{{{field}}}")


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("main", "main"),
        ("feature/cart", "feature-cart"),
        ("dependabot/npm_and_yarn/lodash-4.17.21", "dependabot-npm_and_yarn-lodash-4.17.21"),
        ("copilot/fix-42", "copilot-fix-42"),
        ("Feature/CART", "Feature-CART"),
        ("feature/@cart", "feature-cart"),
        ("feature/é", "feature-"),
        ("a-/b", "a--b"),
        ("über", "-ber"),
        ("日本", "-"),
        ("a b#c", "a-b-c"),
        ("x" * 130, "x" * 130),
    ],
)
def test_a_branch_is_written_as_docker_metadata_action_writes_it(branch: str, expected: str) -> None:
    assert expected == sanitise_branch(branch)


@given(st.text())
def test_a_sanitised_branch_has_only_a_tags_characters_and_stays_as_it_is(branch: str) -> None:
    sanitised = sanitise_branch(branch)

    assert re.fullmatch(r"[a-zA-Z0-9._-]*", sanitised)
    assert sanitised == sanitise_branch(sanitised)


@given(st.from_regex(r"[a-zA-Z0-9._-]*", fullmatch=True))
def test_a_branch_that_could_be_a_tag_is_not_changed(branch: str) -> None:
    assert branch == sanitise_branch(branch)


@pytest.mark.parametrize(
    ("reference", "prefix", "answer"),
    [
        ("ghcr.io/acme/web:x", "ghcr.io/acme/", True),
        ("ghcr.io/acme/web:x", "ghcr.io/acme", True),
        ("ghcr.io/acme/web:x", "ghcr.io/acme/web", True),
        ("ghcr.io/acme/web:x", "ghcr.io", True),
        ("ghcr.io/acme/shop/web:x", "ghcr.io/acme/", True),
        ("GHCR.io/acme/web:x", "ghcr.io/acme/", True),
        ("ghcr.io/acme/web:x", "GHCR.IO/acme/", True),
        ("ghcr.io/acme:x", "ghcr.io/acme/", True),
        ("web:x", "docker.io/library/", True),
        ("acme/web:x", "index.docker.io/acme/", True),
        ("nginx:x", "docker.io/nginx", True),
        ("nginx/agent:x", "docker.io/nginx", True),
        ("nginx:x", "docker.io/nginx/", False),
        ("nginx-evil:x", "docker.io/nginx", False),
        ("ghcr.io/library/nginx:x", "ghcr.io/nginx", False),
        ("registry.internal:5000/web:x", "registry.internal:5000/", True),
        ("[::1]:5000/acme/web:x", "[::1]:5000/acme/", True),
        ("[::1]:5000/acme/web:x", "[::1]:5000", True),
        ("[2001:db8::7]/acme/web:x", "[2001:DB8::7]/", True),
        ("[::1]:5001/acme/web:x", "[::1]:5000/acme/", False),
        ("[::11]:5000/acme/web:x", "[::1]:5000/", False),
        ("ghcr.io/acme-evil/web:x", "ghcr.io/acme/", False),
        ("ghcr.io/acme-evil/web:x", "ghcr.io/acme", False),
        ("ghcr.io/acme/web-evil:x", "ghcr.io/acme/web", False),
        ("ghcr.io/other/acme/web:x", "ghcr.io/acme/", False),
        ("ghcr.io.evil.com/acme/web:x", "ghcr.io", False),
        ("evil.com/ghcr.io/acme/web:x", "ghcr.io/acme/", False),
        ("registry.internal:5000/web:x", "registry.internal", False),
        ("registry.internal:50001/web:x", "registry.internal:5000", False),
        ("ghcr.io/acme/../evil/web:x", "ghcr.io/acme/", False),
        ("ghcr.io/acme/web@evil.com/web:x", "ghcr.io/acme/", False),
        (f"ghcr.io/acme/web@{DIGEST}", "ghcr.io/acme/", False),
        ("ghcr.io/acme/web:" + "x" * 129, "ghcr.io/acme/", False),
        ("acme/web:x", "ghcr.io/acme/", False),
        ("ghcr.io/acme/web:x", "", False),
        ("ghcr.io/acme/web:x", "/", False),
    ],
)
def test_a_prefix_allows_what_lies_below_it_and_nothing_beside_it(
    reference: str, prefix: str, answer: bool
) -> None:
    assert answer == is_allowed(reference, [prefix])


def test_one_of_several_prefixes_is_enough_and_none_allows_nothing() -> None:
    assert is_allowed("ghcr.io/acme/web:x", ["quay.io/", "ghcr.io/acme/"])
    assert not is_allowed("ghcr.io/acme/web:x", [])


@given(_references, st.data())
def test_whatever_part_of_a_path_is_allowed_allows_it_and_a_longer_name_is_another(
    reference: ImageReference, data: st.DataObject
) -> None:
    parts = [reference.registry, *reference.repository.split("/")]
    prefix = "/".join(parts[: data.draw(st.integers(1, len(parts)))])

    assert is_allowed(str(reference), [prefix])
    assert is_allowed(str(reference), [prefix + "/"])
    assert not is_allowed(str(reference), [prefix + "x"])
    assert prefix[-2] == "/" or not is_allowed(str(reference), [prefix[:-1]])


@given(_references)
def test_a_pinned_reference_keeps_the_repository_and_names_the_digest_only(reference: ImageReference) -> None:
    assert f"{reference.registry}/{reference.repository}@{DIGEST}" == with_digest(str(reference), DIGEST)


def test_what_is_pinned_spells_docker_hubs_defaults_out() -> None:
    assert with_digest("web:x", DIGEST) == f"docker.io/library/web@{DIGEST}"


def test_what_is_no_reference_is_not_pinned() -> None:
    with pytest.raises(ValueError, match="is no repository"):
        with_digest("ghcr.io/Acme/web:x", DIGEST)
