"""What the settings let each repository have: the first rule counts, no rule widens, none is dead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.repository import Entry
from previewbot.config.server import RepositoryLimits, Settings, parse
from previewbot.config.server.repositories import is_of, matches
from previewbot.errors import SettingsError
from previewbot.rules.bounds import entry_outside, image_outside, namespace_outside, target_outside
from previewbot.rules.repositories import bounds_of, everybodys, rule_of, serves, warnings_of, why_nothing
from previewbot.rules.seldom import APART, MOST, Kind, Seldom, kind_of
from tests.support.passes import SETTINGS
from tests.support.previews import NOW

WIDE: dict[str, Any] = {
    **SETTINGS,
    "cluster": {"namespaces": ["staging", "payments"]},
    "images": {"allowed": ["ghcr.io/acme/", "docker.io/nginx"]},
}


def settings(*rules: dict[str, Any], **more: Any) -> Settings:
    return parse({**WIDE, "repositories": list(rules), **more}, {})


def problems(*rules: dict[str, Any], **more: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        settings(*rules, **more)
    return caught.value.problems


# Names


@pytest.mark.parametrize(
    ("pattern", "repository", "expected"),
    [
        ("acme/shop", "acme/shop", True),
        ("acme/shop", "Acme/SHOP", True),
        ("ACME/Shop", "acme/shop", True),
        ("acme/shop", "acme/shop2", False),
        ("acme/shop", "evil-acme/shop", False),
        ("acme/*", "acme/shop", True),
        ("acme/*", "acme-evil/shop", False),
        ("acme*/*", "acme-evil/shop", True),
        ("*/shop", "mallory/shop", True),
        ("*/*", "mallory/anything", True),
        ("acme/web-*", "acme/web-", True),
        ("acme/web-*", "acme/web", False),
        ("acme/*-web-*", "acme/a-web-b", True),
        ("acme/*-web-*", "acme/-web", False),
        ("acme/a*a", "acme/a", False),
        ("acme/a*a", "acme/aa", True),
        ("acme/*b*b*", "acme/abab", True),
        ("acme/*b*b*", "acme/aba", False),
        ("acme/sh.p", "acme/shop", False),
        ("acme/[s]hop", "acme/shop", False),
    ],
)
def test_a_star_stands_for_anything_within_one_part(pattern: str, repository: str, expected: bool) -> None:
    assert is_of(pattern, repository) is expected


@given(st.text("ab*", max_size=6), st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_pattern_that_takes_in_another_matches_all_that_it_does(wide: str, narrow: str, name: str) -> None:
    if matches(wide, narrow) and matches(narrow, name):
        assert matches(wide, name)


# What may be written


@pytest.mark.parametrize(
    "pattern",
    ["shop", "*", "", " ", "acme/", "/shop", "acme/shop/x", "acme/..", "acme/.", "acme /shop", "acme/sh?p",
     "https://github.com/acme/shop", "github.com/acme/shop", "acme/shop.git", "acme/**/x", "@acme/shop", 7],
)  # fmt: skip
def test_a_pattern_that_is_no_repositorys_name_is_a_mistake(pattern: Any) -> None:
    (found,) = problems({"match": [pattern]})

    assert found.startswith("repositories.match ")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "repositories.match is missing; write for example match: [acme/shop, acme/web-*]"),
        ({"match": []}, "repositories.match must name at least one, like [acme/shop, acme/web-*]"),
        ({"match": None}, "repositories.match is missing; write for example match:"),
        ({"match": ["acme/shop"], "images": None}, "repositories.images has no value; write one, or remove"),
        ({"match": ["acme/shop"], "limits": {"services": None}}, "repositories.limits.services has no value"),
        ({"match": ["acme/shop"], "image": []}, "repositories.image is unknown; did you mean images?"),
        (
            {"match": ["acme/shop"], "targets": ["deploy/shop"]},
            "repositories.targets must be kind/name, like deployment/web-*, of a kind of workload or *, not "
            '"deploy/shop"; which container, its author chooses',
        ),
        ({"match": ["acme/shop"], "targets": ["deployment/shop/container/app"]}, "its author chooses"),
        (
            {"match": ["acme/shop"], "entries": ["web"]},
            "repositories.entries must be namespace/Service, like",
        ),
        ({"match": ["acme/shop"], "entries": ["staging/web:0"]}, "must be namespace/Service"),
        ({"match": ["acme/shop"], "entries": ["staging/web:65536"]}, "must be namespace/Service"),
        ({"match": ["acme/shop"], "limits": {"previews": 0}}, "must be a whole number from 1"),
    ],
)
def test_what_is_wrong_in_a_rule_is_told(rule: dict[str, Any], words: str) -> None:
    (found,) = problems(rule)

    assert words in found


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"namespaces": ["prod"]}, "namespaces prod is not among cluster.namespaces; add it there"),
        ({"images": ["ghcr.io/other/"]}, "images ghcr.io/other/ is not within images.allowed; add it there"),
        ({"images": ["ghcr.io/"]}, "is not within images.allowed"),
        ({"images": ["ghcr.io/acme-evil/"]}, "is not within images.allowed"),
        ({"images": ["docker.io/nginx/"]}, ""),
        ({"images": ["docker.io/nginx", "index.docker.io/library/nginx/"]}, ""),
        ({"images": ["GHCR.io/acme/shop"]}, ""),
        ({"entries": ["prod/web"]}, "entries prod/web is in none of cluster.namespaces; add that there"),
        ({"entries": ["p*/web", "staging/*:80"]}, ""),
        (
            {"limits": {"previews": 51}},
            "limits.previews must be at most limits.previews, which is 50, not 51",
        ),
        ({"limits": {"per_author": 51}}, "limits.per_author must be at most limits.previews, which is 50"),
        ({"limits": {"previews": 50, "per_author": 50, "per_agent": 1}}, ""),
    ],
)
def test_a_rule_only_narrows(rule: dict[str, Any], words: str) -> None:
    if not words:
        assert settings({"match": ["acme/shop"], **rule}).repositories
        return
    (found,) = problems({"match": ["acme/shop"], **rule})

    assert words in found


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((["acme/shop"], ["acme/shop"]), "acme/shop can never count here: rule 1 takes all of it"),
        ((["acme/shop"], ["ACME/Shop"]), "ACME/Shop can never count here: rule 1 takes all of it"),
        ((["*/*"], ["acme/*"]), "acme/* can never count here: rule 1"),
        ((["x/y"], ["acme/*", "*/web"], ["acme/web-*"]), "acme/web-* can never count here: rule 2"),
        ((["acme/web-*"], ["acme/*"], ["*/*"]), ""),
        ((["acme/web-*"], ["acme/web*"]), ""),
        ((["acme/*", "acme/shop"],), ""),
    ],
)
def test_a_rule_that_can_never_count_is_a_mistake(rules: tuple[list[str], ...], words: str) -> None:
    written = [{"match": match} for match in rules]
    if not words:
        assert len(settings(*written).repositories or ()) == len(rules)
        return
    (found,) = problems(*written)

    assert words in found


def test_a_rule_for_an_account_that_is_not_served_can_never_count() -> None:
    (found,) = problems({"match": ["other/*"]}, {"match": ["ac*/x"]}, owners=["Acme"])

    assert found == "repositories.match other/* can never count: owners has only acme"


def test_all_mistakes_of_all_rules_are_told_at_once() -> None:
    found = problems(
        {"match": ["acme/*"], "namespaces": ["a", "b"]}, {"match": ["acme/shop"], "images": ["x.io/"]}
    )

    assert len(found) == 4


@pytest.mark.parametrize("key", ["owners", "repositories"])
def test_no_value_is_not_taken_for_leaving_it_out_which_would_allow_everything(key: str) -> None:
    with pytest.raises(SettingsError, match=f"{key} has no value; write one, or remove the line"):
        parse({**WIDE, key: None}, {})
    with pytest.raises(SettingsError, match=f"{key} .from PREVIEWBOT_{key.upper()}. has no value"):
        parse({**WIDE, key: ["acme"]}, {f"PREVIEWBOT_{key.upper()}": "null"})


@pytest.mark.parametrize("owner", ["acme/shop", "@acme", "*", "", "ac me"])
def test_an_owner_is_the_name_of_an_account(owner: str) -> None:
    with pytest.raises(SettingsError, match="owners must be an account of GitHub's, like acme"):
        parse({**WIDE, "owners": [owner]}, {})


def test_rules_may_stand_in_a_variable_as_json() -> None:
    found = parse(WIDE, {"PREVIEWBOT_REPOSITORIES": '[{"match": ["acme/*"], "limits": {"previews": 3}}]'})

    assert bounds_of(found, "acme/shop") is not None
    assert bounds_of(found, "other/shop") is None


# What a repository may have


def test_without_rules_every_repository_may_have_what_the_settings_allow() -> None:
    everybody = parse(WIDE, {})
    bounds = bounds_of(everybody, "mallory/anything")

    assert bounds == everybodys(everybody)
    assert bounds is not None
    assert (bounds.namespaces, bounds.targets, bounds.entries, bounds.rule) == (
        ("staging", "payments"),
        None,
        None,
        None,
    )
    assert bounds.limits == RepositoryLimits()


def test_an_empty_list_of_rules_gives_nobody_anything() -> None:
    assert bounds_of(settings(), "acme/shop") is None
    assert why_nothing(settings(), "acme/shop") == "no rule of the settings' `repositories` is for it"


def test_the_first_rule_that_is_for_a_repository_counts() -> None:
    found = settings(
        {"match": ["acme/shop"], "namespaces": ["staging"], "limits": {"services": 2}},
        {"match": ["acme/secret"], "targets": []},
        {"match": ["acme/*"], "namespaces": ["payments"]},
    )
    shop, other = bounds_of(found, "Acme/Shop"), bounds_of(found, "acme/other")

    assert shop is not None
    assert other is not None
    assert (shop.rule, shop.namespaces, shop.limits.services) == (1, ("staging",), 2)
    assert (other.rule, other.namespaces, other.limits.services) == (3, ("payments",), None)
    assert bounds_of(found, "acme/secret") is None
    assert why_nothing(found, "acme/secret") == "rule 2 of the settings' `repositories` gives it nothing"
    assert why_nothing(found, "acme/shop") == ""
    assert bounds_of(found, "acme2/shop") is None


@pytest.mark.parametrize("key", ["namespaces", "targets", "images"])
def test_a_rule_with_an_empty_list_is_how_a_repository_gets_nothing(key: str) -> None:
    assert bounds_of(settings({"match": ["acme/*"], key: []}), "acme/shop") is None


def test_owners_count_in_capitals_and_small_and_before_any_rule() -> None:
    found = parse({**WIDE, "owners": ["Acme"]}, {})

    assert serves(found, "ACME")
    assert not serves(found, "acme2")
    assert not serves(found, "")
    assert bounds_of(found, "aCme/shop") is not None
    assert bounds_of(found, "mallory/shop") is None
    assert why_nothing(found, "mallory/shop") == "its account is not among the settings' `owners`"


ENTRIES = settings(
    {"match": ["acme/shop"], "namespaces": ["payments"], "entries": ["staging/web", "pay*/front-*:80"]},
    {"match": ["acme/api"], "namespaces": ["payments"], "entries": []},
    {"match": ["acme/*"], "namespaces": ["payments"]},
)


@pytest.mark.parametrize(
    ("repository", "service", "expected"),
    [
        ("acme/shop", ("staging", "web", 80), ""),
        ("acme/shop", ("staging", "web", 8080), ""),
        ("acme/shop", ("payments", "front-1", 80), ""),
        ("acme/shop", ("payments", "front-1", 81), "open are: staging/web, pay*/front-*:80."),
        ("acme/shop", ("payments", "web", 80), "no link may lead to `payments/web:80` for this repository"),
        ("acme/api", ("payments", "web", 80), "this repository may have no `entry`"),
        ("acme/other", ("payments", "any", 1), ""),
        ("acme/other", ("staging", "web", 80), "the namespace `staging` is not open to this repository"),
    ],
)
def test_a_link_leads_only_to_services_that_are_open_to_it(
    repository: str, service: tuple[str, str, int], expected: str
) -> None:
    bounds = bounds_of(ENTRIES, repository)
    namespace, name, port = service
    entry = Entry(url="https://s.example.com", namespace=namespace, service=name, port=port)
    assert bounds is not None
    found = entry_outside(bounds, entry)

    assert (expected in found) if expected else found == ""
    assert not found or found.endswith("That is the platform team's to decide, in previewbot's settings")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("deployment/web", True),
        ("deployment/web/container/anything", True),
        ("deployment/web-1", True),
        ("rollout/job", True),
        ("statefulset/web", False),
        ("deployment/payments", False),
        ("deployment/xweb", False),
    ],
)
def test_a_session_stands_in_only_for_workloads_that_are_open_to_it(target: str, expected: bool) -> None:
    rule = {"match": ["acme/*"], "targets": ["deployment/web*", "*/job"]}
    bounds = bounds_of(settings(rule), "acme/shop")

    assert bounds is not None
    assert bounds.opens_target(target) is expected
    words = target_outside(bounds, target)
    assert words == "" or words.endswith(
        "open are: deployment/web*, */job. That is the platform team's to decide, in previewbot's settings"
    )


def test_of_hundreds_of_what_is_open_the_words_name_few() -> None:
    rule = {"match": ["acme/*"], "targets": [f"deployment/web-{number}" for number in range(300)]}
    bounds = bounds_of(settings(rule), "acme/shop")

    assert bounds is not None
    assert "deployment/web-9 and 290 more. That is" in target_outside(bounds, "deployment/x")


_PARTS = st.text("ab*", min_size=1, max_size=3)
_PATTERN = st.builds("{}/{}".format, _PARTS, _PARTS)
_NAMESPACES = st.lists(st.sampled_from(["staging", "payments"]), max_size=2)
_IMAGES = st.lists(st.sampled_from(["ghcr.io/acme/", "ghcr.io/acme/shop", "docker.io/nginx/"]), max_size=2)
_TARGETS = st.lists(st.sampled_from(["deployment/web", "*/w*", "statefulset/*"]), max_size=2)
_ENTRIES = st.lists(st.sampled_from(["staging/web", "*/*", "pay*/x:80"]), max_size=2)
_RULE = st.fixed_dictionaries(
    {"match": st.lists(_PATTERN, min_size=1, max_size=2)},
    optional={"namespaces": _NAMESPACES, "images": _IMAGES, "targets": _TARGETS, "entries": _ENTRIES},
)


def rules_that_count(rules: list[dict[str, Any]]) -> Settings | None:
    try:
        return settings(*rules)
    except SettingsError:
        return None


@given(st.lists(_RULE, max_size=4), st.builds("{}/{}".format, st.text("aAbB", min_size=1, max_size=3),
       st.text("aAbB", min_size=1, max_size=3)))  # fmt: skip
def test_no_rule_widens_and_the_first_counts(rules: list[dict[str, Any]], repository: str) -> None:
    found = rules_that_count(rules)
    if found is None:
        return
    bounds, wide = bounds_of(found, repository), everybodys(found)
    ours = [n for n, r in enumerate(rules, 1) if any(is_of(pattern, repository) for pattern in r["match"])]

    assert rule_of(found, repository) == (ours[0] if ours else None)
    if bounds is None:
        assert not ours or [] in [rules[ours[0] - 1].get(k) for k in ("namespaces", "images", "targets")]
        return
    assert bounds.rule == ours[0]
    assert set(bounds.namespaces) <= set(wide.namespaces)
    for image in ("ghcr.io/acme/shop/x:1", "ghcr.io/acme/x:1", "docker.io/nginx:1", "docker.io/nginx/x:1"):
        assert image_outside(bounds, image) or not image_outside(wide, image)
    for namespace in ("staging", "payments", "prod"):
        assert namespace_outside(bounds, namespace) or not namespace_outside(wide, namespace)
        for service in ("web", "x"):
            entry = Entry(url="https://s.example.com", namespace=namespace, service=service, port=80)
            assert entry_outside(bounds, entry) or not entry_outside(wide, entry)


# What is said


def test_the_start_warns_of_what_is_left_open() -> None:
    open_to_all, owned = parse(WIDE, {}), parse({**WIDE, "owners": ["acme"]}, {})

    repositories, owners = warnings_of(open_to_all)
    assert "name any workload, and have a link lead to any Service, in staging, payments." in repositories
    assert "for example `owners: [acme]`" in owners
    assert warnings_of(owned) == (repositories,)
    assert warnings_of(settings({"match": ["acme/*"]})) == ()
    assert warnings_of(settings({"match": ["*/shop"]})) == (owners,)
    assert warnings_of(settings()) == ()


PICTURES = {"url": "http://pictures:8080", "token_file": "/etc/previewbot/pictures/token"}
KEYS_OF_FORMS = {"cookie_keys_file": "/etc/previewbot/sign-in/cookie-keys"}
SIGN_IN = {"client_id": "Iv23liAbCdEfGhIjKlMn", "client_secret_file": "/etc/previewbot/sign-in/client-secret"}
BY_PROXY = {"header": "X-Forwarded-Email", "from": ["10.20.0.0/24"], "repositories": ["acme/*"]}


@pytest.mark.parametrize(
    ("more", "for_nobody"),
    [
        ({"access": "none"}, True),
        ({"access": "none", "pictures": {**PICTURES, "public": True}}, False),
        ({"sign_in": {**KEYS_OF_FORMS, **SIGN_IN}}, False),
        ({"access": "proxy", "sign_in": KEYS_OF_FORMS, "proxy": {**BY_PROXY, "sees": "state"}}, True),
        ({"access": "proxy", "sign_in": KEYS_OF_FORMS, "proxy": BY_PROXY}, False),
    ],
)
def test_the_start_warns_of_pictures_that_nobody_may_see(more: dict[str, Any], for_nobody: bool) -> None:
    warnings = warnings_of(
        settings(**{"pictures": PICTURES, "public_url": "https://previews.example.com", **more})
    )

    assert [each.partition(",")[0] for each in warnings] == ["`pictures` is set"] * for_nobody


def test_the_start_warns_of_limits_that_are_never_reached() -> None:
    limits = {"previews": 5, "per_repository": 10, "per_author": 5, "per_agent": 6}
    rule = {"match": ["acme/shop"], "limits": {"previews": 2, "per_author": 3, "per_agent": 2}}
    repository, agent = warnings_of(settings({"match": ["acme/*"]}, limits=limits))

    assert repository == (
        "`limits.per_repository` is 10 and bounds nothing, since `limits.previews` is 5. "
        "Lower it, or remove it"
    )
    assert agent.startswith("`limits.per_agent` is 6 and bounds nothing")
    assert warnings_of(settings(rule)) == (
        "`limits.per_author` of rule 1 of `repositories` is 3 and bounds nothing, since each of its "
        "repositories may hold 2. Lower it, or remove it",
    )
    inherited = {"match": ["acme/shop"], "limits": {"per_agent": 3}}
    assert "may hold 2." in warnings_of(settings(inherited, limits={"per_repository": 2}))[0]
    assert warnings_of(settings(inherited, limits={"per_repository": 3})) == ()


def test_of_the_same_something_is_said_once_an_hour_and_of_many_only_so_much() -> None:
    seldom = Seldom()

    def due(about: str, at: datetime = NOW) -> bool:
        return seldom.is_due(Kind.REPOSITORY, about, at)

    assert [due("acme/shop") for _ in range(3)] == [True, False, False]
    assert sum(due(f"acme/{number}") for number in range(10_000)) == MOST - 1
    assert due("acme/shop", NOW + APART)


def test_of_whom_much_is_said_keeps_nobody_else_from_being_told_of() -> None:
    seldom, strangers = Seldom(), parse({**WIDE, "owners": ["acme"], "repositories": []}, {})

    for number in range(10_000):
        name = f"mallory/{number}"
        seldom.is_due(kind_of(strangers, name), name, NOW)

    assert seldom.is_due(kind_of(strangers, "ACME/forgotten"), "acme/forgotten", NOW)
    assert seldom.is_due(Kind.NAMESPACE, "gh-812-42 in old", NOW)
