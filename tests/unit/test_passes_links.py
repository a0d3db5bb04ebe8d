"""A link is seen working before it is announced: at the pass, with what answers behind it as a value."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from previewbot.api import Phase, Proven, Reason, Why
from previewbot.clients.links import Question
from previewbot.errors import SettingsError
from previewbot.rules.guard_bearers import STRANGER, Standing, end_of, standing
from previewbot.rules.guard_refusals import Refusal
from previewbot.rules.link_answers import FROM_A_SESSION, FROM_STAGING, Answer
from previewbot.runtime.gateway import count_unguarded
from tests.support.gateways import a_gateway_object
from tests.support.guarded import KEYS
from tests.support.passes import CONFIGURATION, SETTINGS, A, B, World
from tests.support.people import VALUES

KEY = World().preview.spec.environment_key
HOST = f"{KEY}.preview.example.com"

ENTRY = CONFIGURATION.replace("service: web, port: 80", "service: checkout, port: 80")
"""The front end is the service that the pull request changes."""

CHECKED = CONFIGURATION.replace(
    "    ports: [8080]\n", "    ports: [8080]\n    check: /api/checkout/baggage\n", 1
)
"""The changed service is behind the front end, and says what it received."""

OURS = Answer(200, agents=(FROM_A_SESSION,), keys=(KEY,))
STAGING = Answer(200, agents=(FROM_STAGING,))
PASSED_ON = Answer(200, body=f'{{"baggage": "mirrord-session={KEY}"}}')
OPEN = "[Open the preview]"
SIGN_IN = VALUES["sign_in"]


async def looked_at(answer: Answer, configuration: str = ENTRY, passes: int = 6, **settings: Any) -> World:
    """Return a world some passes after its session became ready, with this answer behind its link."""
    world = World(**settings)
    world.github.configuration, world.links.answer = configuration, answer
    await world.settle(passes)
    assert world.serving == [A]
    return world


def stands(world: World) -> tuple[Phase | None, Reason | None]:
    return world.status.phase, world.status.reason


def condition(world: World, kind: str) -> tuple[str, str]:
    return next((c.status, c.reason) for c in world.status.conditions if c.type == kind)


async def test_a_link_at_which_this_preview_answers_is_announced_as_proven() -> None:
    world = await looked_at(OURS)
    link = world.status.link

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert (link.proven, link.why, link.answered) == (Proven.YES, Why.THIS_PREVIEW, 200)
    assert link.checked_at is not None
    assert OPEN in world.comment


async def test_it_is_asked_once_and_then_not_until_it_changes() -> None:
    world = await looked_at(OURS, passes=20)

    assert [question.url for question in world.links.asked] == [f"https://{HOST}/"]
    world.push(B)
    await world.settle(8)
    assert world.serving == [B]
    assert len(world.links.asked) == 2


async def test_it_is_not_asked_before_the_gateway_follows_the_route() -> None:
    world = World()
    world.github.configuration, world.cluster.gateway.follows = ENTRY, False
    await world.settle(6)
    assert world.links.asked == []

    world.cluster.gateway.follows, world.links.answer = True, OURS
    await world.run()
    # It says that it knows the route; `settle` later it follows.
    assert world.links.asked == []
    assert stands(world) == (Phase.DEPLOYING, Reason.CHECKING_LINK)
    assert world.outcome.requeue_after is not None
    assert 0 < world.outcome.requeue_after <= 3.0
    world.clock.forward(seconds=3)
    await world.run()
    assert len(world.links.asked) == 1
    assert stands(world) == (Phase.READY, Reason.ALL_READY)


async def test_an_entry_at_which_staging_answers_has_no_link_and_the_words_say_so() -> None:
    world = await looked_at(STAGING)

    assert stands(world) == (Phase.DEPLOYING, Reason.CHECKING_LINK)
    assert OPEN not in world.comment
    await world.settle(70)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_SHOWS_STAGING)
    assert world.status.link.proven is Proven.NO
    assert world.service.phase is Phase.READY
    assert OPEN not in world.comment
    assert "whoever opens it sees staging's own **checkout**" in world.comment
    assert HOST not in world.comment
    assert condition(world, "LinkReady") == ("False", "LinkShowsStaging")
    assert condition(world, "Ready")[0] == "False"
    assert condition(world, "SessionsReady") == ("True", "AsExpected")


async def test_the_link_comes_by_itself_once_the_preview_answers() -> None:
    world = await looked_at(STAGING, passes=80)
    assert world.status.reason is Reason.LINK_SHOWS_STAGING

    world.links.answer = OURS
    await world.settle(50)
    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert OPEN in world.comment


async def test_a_preview_without_a_link_is_asked_after_ever_more_seldom_and_ends_on_time() -> None:
    world = await looked_at(STAGING, passes=1)
    pauses: list[float] = []
    while world.status.lifecycle.ended is None:
        await world.run()
        pauses.append(world.outcome.requeue_after or 0.0)
        assert pauses[-1] > 0
        world.clock.forward(seconds=pauses[-1])

    assert world.status.lifecycle.ended.reason is Reason.TIME_UP
    # Eight hours: some twenty in the first minutes, then one every few, in the end one in an hour or two:
    # whoever asks more often keeps awake what mirrord would put to sleep.
    assert 30 < len(world.links.asked) < 150
    assert 3600 < max(pauses) < 3 * 3600


@pytest.mark.parametrize(
    ("answer", "why", "words"),
    [
        (Answer(failure=Why.TOO_LATE), Why.TOO_LATE, "nothing answers at its address"),
        (Answer(failure=Why.NO_CONNECTION), Why.NO_CONNECTION, "nothing takes a connection"),
        (Answer(failure=Why.NO_NAME), Why.NO_NAME, "its host name is not known"),
        (Answer(failure=Why.CERTIFICATE), Why.CERTIFICATE, "the certificate at its address is not valid"),
        (Answer(503), Why.ONLY_THE_LINK, "answers `503`, and staging without this change does not"),
        (Answer(404), Why.ONLY_THE_LINK, "answers `404`, and staging without this change does not"),
    ],
)
@pytest.mark.parametrize("configuration", [ENTRY, CONFIGURATION], ids=["at the entry", "behind it"])
async def test_a_link_that_nothing_good_answers_is_not_announced(
    configuration: str, answer: Answer, why: Why, words: str
) -> None:
    world = await looked_at(answer, configuration, passes=80)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)
    assert world.status.link.why is why
    assert words in world.comment
    assert OPEN not in world.comment


async def test_staging_s_own_error_is_told_apart_by_one_request_without_the_header() -> None:
    world = World()
    world.github.configuration, world.links.answer, world.links.staging = ENTRY, Answer(502), Answer(502)
    await world.settle(80)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)
    assert "answers `502`, and so does staging without this change" in world.comment
    assert "whoever looks after staging" in world.comment
    # Staging's address is the repository's word: it is asked for at the link's own place, and never gone to.
    assert {question.host for question in world.links.asked} == {"", "staging.example.com"}
    assert {question.url for question in world.links.asked} == {f"https://{HOST}/"}


@pytest.mark.parametrize("answer", [Answer(200), Answer(401), Answer(403), Answer(302, leads_to="login.io")])
async def test_an_answer_that_tells_nothing_is_unknown_and_the_link_is_shown_as_ever(answer: Answer) -> None:
    world = await looked_at(answer)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert world.status.link.proven is Proven.UNKNOWN
    assert OPEN in world.comment
    assert "not checked" not in world.comment


@pytest.mark.parametrize("answer", [STAGING, OURS, Answer(200), Answer(200, agents=(FROM_A_SESSION,))])
async def test_behind_the_entry_the_words_are_that_nobody_checked_whether_the_header_gets_there(
    answer: Answer,
) -> None:
    world = await looked_at(answer, CONFIGURATION)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert (world.status.link.proven, world.status.link.why) == (Proven.UNKNOWN, Why.BEHIND_THE_ENTRY)
    assert OPEN in world.comment
    assert "the link sets it for you" in world.comment
    assert "whether it is passed on to **checkout** is not checked" in world.comment


async def a_gateway_that_knows_no_such_host(passes: int, configuration: str = ENTRY) -> World:
    """Return a world whose Gateway answers 404 at the link, and at staging's host, which it does not have."""
    world = World()
    world.github.configuration = configuration
    world.links.answer = world.links.staging = Answer(404)
    return await world.settle(passes)


@pytest.mark.parametrize("configuration", [ENTRY, CONFIGURATION], ids=["at the entry", "behind it"])
async def test_a_link_is_not_announced_while_its_gateway_does_not_know_the_host_yet(
    configuration: str,
) -> None:
    """A route is accepted by a Gateway's controller before what carries the requests knows of it."""
    world = await a_gateway_that_knows_no_such_host(6, configuration)
    assert stands(world) == (Phase.DEPLOYING, Reason.CHECKING_LINK)
    assert OPEN not in world.comment

    world.links.answer = OURS
    await world.settle(8)
    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert world.status.link.answered in (0, 200)
    assert OPEN in world.comment


async def test_a_page_that_staging_lacks_too_is_announced_once_the_gateway_had_its_time() -> None:
    world = await a_gateway_that_knows_no_such_host(30)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert (world.status.link.proven, world.status.link.why) == (Proven.UNKNOWN, Why.NO_MARK)


async def test_a_gateway_that_says_nothing_of_routes_and_knows_no_such_host_does_not_take_ours() -> None:
    world = World()
    world.github.configuration = ENTRY
    world.links.answer = world.links.staging = Answer(404)
    world.cluster.gateway.says = None
    world.cluster.gateway.object = a_gateway_object(attached=0)
    await world.settle(90)
    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)
    assert "its address answers `404`" in world.comment
    assert OPEN not in world.comment

    world.links.answer = Answer(200)
    await world.settle(50)
    assert OPEN in world.comment


@pytest.mark.parametrize("configuration", [ENTRY, CONFIGURATION], ids=["at the entry", "behind it"])
@pytest.mark.parametrize("agents", [(), (FROM_A_SESSION,)])
async def test_a_front_end_that_sends_everybody_to_the_one_host_it_knows_has_no_link(
    configuration: str, agents: tuple[str, ...]
) -> None:
    away = Answer(301, agents=agents, leads_to="staging.example.com")
    world = await looked_at(away, configuration, passes=80)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_SHOWS_STAGING)
    assert world.status.link.why is Why.LEADS_TO_STAGING
    assert "its address redirects to staging's own, where no header is set" in world.comment
    assert "it must stay at the host that it is asked for (its `Host`)" in world.comment
    assert "Until then it can be opened [with mirrord's browser extension]" in world.comment
    assert OPEN not in world.comment


async def test_a_check_behind_the_entry_proves_that_the_header_gets_there() -> None:
    world = World()
    world.github.configuration, world.links.answer = CHECKED, STAGING
    world.links.by_path["/api/checkout/baggage"] = PASSED_ON
    await world.settle(6)

    assert (world.status.link.proven, world.status.link.why) == (Proven.YES, Why.PASSED_ON)
    assert OPEN in world.comment
    assert "not checked" not in world.comment
    assert [(q.url, q.reads_body) for q in world.links.asked] == [
        (f"https://{HOST}/", False),
        (f"https://{HOST}/api/checkout/baggage", True),
    ]


async def test_a_check_that_lacks_the_key_says_that_the_services_in_between_lose_it() -> None:
    world = World()
    world.github.configuration = CHECKED
    world.links.by_path["/api/checkout/baggage"] = Answer(200, body='{"baggage": null}')
    await world.settle(80)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_SHOWS_STAGING)
    assert "does not get to **checkout**: the services in between do not pass it on" in world.comment
    assert OPEN not in world.comment


async def test_a_check_that_is_not_there_yet_is_no_fault_of_the_link() -> None:
    world = World()
    world.github.configuration = CHECKED
    world.links.by_path["/api/checkout/baggage"] = Answer(404)
    await world.settle(6)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert "could not be checked (`check` answered `404`)" in world.comment


async def test_a_check_that_does_not_answer_for_once_is_asked_again() -> None:
    world = World()
    world.github.configuration = CHECKED
    world.links.by_path["/api/checkout/baggage"] = Answer(failure=Why.TOO_LATE)
    await world.settle(6)
    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert "could not be checked (`check` was not answered)" in world.comment

    world.links.by_path["/api/checkout/baggage"] = PASSED_ON
    await world.settle(8)
    assert (world.status.link.proven, world.status.link.why) == (Proven.YES, Why.PASSED_ON)
    assert "could not be checked" not in world.comment


async def test_a_check_that_is_in_nobodys_staging_is_asked_for_some_minutes_and_edits_no_comment() -> None:
    world = World()
    world.github.configuration = CHECKED
    world.links.by_path["/api/checkout/baggage"] = Answer(404)
    await world.settle(90)
    comment, asked = world.comment, len(world.links.asked)
    assert asked > 4

    await world.settle(90)
    assert len(world.links.asked) == asked
    assert world.comment == comment
    assert world.outcome.requeue_after is None or world.outcome.requeue_after > 60


async def test_of_two_services_each_check_counts_for_its_own() -> None:
    world = World()
    world.github.configuration = CHECKED.replace("check: /api", "check: /api", 1)
    world.github.paths = ("checkout/app.py", "pricing/app.py")
    world.links.by_path["/api/checkout/baggage"] = PASSED_ON
    await world.settle(6)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert world.status.link.unchecked == ("pricing",)
    assert "whether it is passed on to **pricing** is not checked" in world.comment


async def test_two_previews_at_once_one_on_the_entry_and_one_behind_it() -> None:
    """The entry's session marks every answer of the entry: those to the other's link with staging's mark."""
    on_the_entry = await looked_at(OURS)
    behind_it = await looked_at(STAGING, CONFIGURATION)

    assert on_the_entry.status.link.proven is Proven.YES
    assert behind_it.status.link.proven is Proven.UNKNOWN
    assert OPEN in on_the_entry.comment
    assert OPEN in behind_it.comment


async def test_in_a_world_that_ignores_the_filter_no_link_is_announced() -> None:
    stolen = Answer(200, agents=(FROM_A_SESSION,), keys=("p0123456789-shop-43",))
    for answer, why in ((STAGING, Why.STAGING), (stolen, Why.ANOTHER_SESSION)):
        world = await looked_at(answer, passes=80)
        assert (world.status.link.proven, world.status.link.why) == (Proven.NO, why)
        assert stands(world) == (Phase.DEPLOYING, Reason.LINK_SHOWS_STAGING)
        assert OPEN not in world.comment


async def test_an_error_of_the_change_itself_is_shown_and_said() -> None:
    world = await looked_at(Answer(500, agents=(FROM_A_SESSION,), keys=(KEY,)))

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert OPEN in world.comment
    assert "Behind the link this pull request's **checkout** answers with an error (`500`)." in world.comment


async def test_the_path_that_people_open_is_the_one_that_is_asked() -> None:
    configuration = ENTRY.replace("    ports: [8080]\n", "    ports: [8080]\n    open: /cart?a=1\n", 1)
    world = await looked_at(OURS, configuration)

    assert [question.url for question in world.links.asked] == [f"https://{HOST}/cart?a=1"]


@pytest.mark.parametrize(
    ("opens", "proven", "why"),
    [
        ("/cart", Proven.NO, Why.STAGING),
        ("/apiary", Proven.NO, Why.STAGING),
        ("/api", Proven.UNKNOWN, Why.BEHIND_THE_ENTRY),
        ("/api/cart?all=1", Proven.UNKNOWN, Why.BEHIND_THE_ENTRY),
    ],
)
async def test_where_another_service_answers_the_path_the_mark_says_nothing_of_the_front_end(
    opens: str, proven: Proven, why: Why
) -> None:
    routes = "service: checkout, port: 80, routes: [{path: /api, service: api, port: 80}]"
    configuration = CONFIGURATION.replace("service: web, port: 80", routes)
    configuration = configuration.replace("[8080]\n", f"[8080]\n    open: {opens}\n", 1)
    world = await looked_at(STAGING, configuration)

    assert (world.status.link.proven, world.status.link.why) == (proven, why)


async def test_a_setting_turns_it_off() -> None:
    world = await looked_at(STAGING, links={**SETTINGS["links"], "check": False})

    assert world.links.asked == []
    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert world.status.link.proven is None
    assert OPEN in world.comment


async def test_a_share_host_is_asked_like_any_link() -> None:
    world = World(links={"check": True})
    world.github.configuration, world.links.answer = ENTRY, STAGING
    world.cluster.session_status = {"phase": "Ready", "shareHost": "x.share.example.com"}
    await world.settle(80)

    assert {question.url for question in world.links.asked} == {"https://x.share.example.com/"}
    assert {question.host for question in world.links.asked} == {""}
    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_SHOWS_STAGING)

    world.links.answer = OURS
    await world.settle(50)
    assert world.status.link.proven is Proven.YES
    assert "(https://x.share.example.com/)" in world.comment


async def test_where_the_gateway_is_goes_along_for_a_name_that_is_not_known_in_the_cluster() -> None:
    world = World()
    world.github.configuration, world.links.answer = ENTRY, OURS
    assert world.cluster.gateway.object is not None
    world.cluster.gateway.object["status"]["addresses"] = [{"type": "IPAddress", "value": "192.0.2.7"}]
    await world.settle(6)

    assert [question.addresses for question in world.links.asked] == [("192.0.2.7",)]


async def test_a_share_host_is_never_looked_for_at_the_gateway() -> None:
    world = World()
    without_entry = "".join(x for x in CONFIGURATION.splitlines(True) if not x.startswith("entry:"))
    world.github.configuration, world.links.answer = without_entry, OURS
    world.cluster.session_status = {"phase": "Ready", "shareHost": "x.share.example.com"}
    assert world.cluster.gateway.object is not None
    world.cluster.gateway.object["status"]["addresses"] = [{"type": "IPAddress", "value": "192.0.2.7"}]
    await world.settle(6)

    found = [(question.url, question.addresses) for question in world.links.asked]
    assert found == [("https://x.share.example.com/", ())]


async def test_staging_with_a_header_is_no_link_that_could_be_asked() -> None:
    world = World(links={"check": True})
    await world.settle(6)

    assert world.links.asked == []
    assert world.status.phase is Phase.READY


async def test_who_sleeps_is_not_woken() -> None:
    world = World()
    world.github.configuration, world.links.answer = ENTRY, OURS
    world.cluster.session_status = {"phase": "Idle"}
    await world.settle(8)

    assert world.links.asked == []
    assert stands(world) == (Phase.IDLE, Reason.ASLEEP)
    assert world.status.link.proven is None


async def test_what_was_known_of_a_link_stays_while_its_session_sleeps() -> None:
    world = await looked_at(OURS)
    world.cluster.session_becomes("Idle")
    world.configure(ENTRY.replace("    ports: [8080]\n", "    ports: [8080]\n    open: /cart\n", 1))
    await world.settle(4)

    assert len(world.links.asked) == 1
    assert world.status.link.proven is Proven.YES
    assert world.status.link.url == f"https://{HOST}/cart"

    world.cluster.session_becomes("Ready")
    await world.settle(4)
    assert [question.url for question in world.links.asked][1:] == [f"https://{HOST}/cart"]


async def test_a_link_that_people_have_stays_while_a_change_of_it_is_asked_about() -> None:
    world = World()
    world.github.configuration, world.links.answer = ENTRY, OURS
    world.github.paths = ("checkout/app.py", "pricing/app.py")
    world.registry.images -= {f"pricing:{A}"}
    await world.settle(6)
    assert world.status.link.proven is Proven.YES
    asked = len(world.links.asked)

    # Now the other service comes up too. What is asked then is asked while people go on using the link.
    world.registry.images |= {f"pricing:{A}"}
    for _ in range(12):
        await world.run()
        assert world.status.link.url == f"https://{HOST}/"
        world.clock.forward(seconds=5)
    assert len(world.links.asked) == asked + 1
    assert world.status.link.unchecked == ("pricing",)


async def test_a_restart_of_the_controller_asks_nothing_again() -> None:
    world = await looked_at(OURS)
    world.restart()
    await world.settle(6)

    assert len(world.links.asked) == 1
    assert world.status.link.proven is Proven.YES


async def test_a_link_announced_by_an_earlier_version_stays_and_is_asked() -> None:
    world = await looked_at(OURS, links={**SETTINGS["links"], "check": False})
    assert OPEN in world.comment
    later = World()
    world.settings = later.settings
    world.restart()
    world.poke()
    for _ in range(4):
        await world.run()
        assert world.status.link.url == f"https://{HOST}/"
        world.clock.forward(seconds=5)

    assert world.status.link.proven is Proven.YES


async def test_a_worker_that_takes_no_requests_has_nothing_to_prove() -> None:
    configuration = CONFIGURATION.replace("    ports: [8080]\n", "    ports: []\n", 1)
    world = await looked_at(Answer(200), configuration)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert world.status.link.unchecked == ()
    assert "not checked" not in world.comment


def guarded(answer: Answer = OURS) -> World:
    """Return a world with a guard before its previews, which lets in those with a bearer that counts."""
    gateway = {"name": "public", "namespace": "gateways", "domain": "preview.example.com"}
    guard = {"host_in": "Host", "keys_file": "/nowhere/keys"}
    world = World(
        links={"gateway": {**gateway, "guard": guard}},
        public_url="https://previewbot.example.com",
        sign_in=SIGN_IN,
    )
    world.github.configuration, world.links.answer = ENTRY, answer
    world.guard_keys = lambda: KEYS
    return world


async def test_a_guarded_link_is_asked_as_a_stranger_and_then_with_a_bearer_of_a_minute() -> None:
    world = guarded()
    await world.settle(6)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    stranger, ours = world.links.asked
    assert stranger.pretends == f"{STRANGER}.preview.example.com"
    worth = [
        standing(KEYS, each.bearer, key, "preview.example.com", world.clock())
        for each, key in ((ours, KEY), (stranger, KEY), (stranger, STRANGER))
    ]
    assert worth == [Standing.COUNTS, Standing.WRONG, Standing.COUNTS]
    assert end_of(ours.bearer) - world.clock() <= timedelta(seconds=60)
    assert ours.bearer not in world.comment
    # Nobody behind the guard sees what lets a program in.
    [rule] = world.cluster.routes["staging"]["spec"]["rules"]
    assert rule["filters"][-1]["requestHeaderModifier"]["remove"] == ["x-previewbot-bearer"]


async def test_a_link_before_which_there_is_no_guard_is_not_announced_and_nobody_is_told_the_bearer() -> None:
    world = guarded()
    world.links.stranger = OURS
    await world.settle(80)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)
    assert world.status.link.why == "Unguarded"
    assert "the guard is not before this link" in world.comment
    assert "This is for your platform team" in world.comment
    assert OPEN not in world.comment
    assert all(question.pretends for question in world.links.asked)

    # A gateway that does not get to pages says no more than this; it let in nobody.
    world.links.stranger = Answer(403)
    await world.settle(50)
    assert world.status.link.why == "GuardUnseen"
    assert "a stranger gets `403` there, but not from previewbot's guard" in world.comment

    world.links.stranger = Answer(401, from_guard=True)
    await world.settle(50)
    assert stands(world) == (Phase.READY, Reason.ALL_READY)


@pytest.mark.parametrize("proof", ["no such proof", "é"])
async def test_code_that_plays_the_guard_gets_no_link_and_no_bearer(proof: str) -> None:
    world = guarded()
    world.links.stranger = Answer(401, from_guard=True, refusal=Refusal.WRONG_BEARER, proof=proof)
    await world.settle(80)

    assert (stands(world), OPEN in world.comment) == ((Phase.DEPLOYING, Reason.LINK_UNANSWERED), False)
    assert world.status.link.why is Why.GUARD_REFUSES_US
    assert all(question.pretends for question in world.links.asked)


async def test_a_guard_that_goes_away_later_takes_the_link_with_it_until_it_is_back() -> None:
    world, metrics = guarded(), CollectorRegistry()
    count_unguarded(lambda: [world.preview], metrics)
    await world.settle(6)
    told, asked = world.comment, len(world.links.asked)
    assert OPEN in told

    async def a_quarter_later(stranger: Answer) -> list[Question]:
        world.links.stranger, before = stranger, len(world.links.asked)
        for _ in range(15):
            world.clock.forward(seconds=60)
            await world.run()
        return world.links.asked[before:]

    # Refused, or nobody knows: the link stays, and only a stranger asks, once or twice in the time.
    for answer in (Answer(401, from_guard=True), Answer(503), Answer(failure=Why.TOO_LATE)):
        found = await a_quarter_later(answer)
        assert 1 <= len(found) <= 2 and all(each.pretends for each in found)
        assert (stands(world), world.comment) == ((Phase.READY, Reason.ALL_READY), told)
    assert metrics.get_sample_value("previewbot_guard_missing") == 0

    found = await a_quarter_later(OURS)
    assert all(each.pretends for each in found)
    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)
    assert world.status.link.why is Why.UNGUARDED and not world.status.link.url
    assert OPEN not in world.comment and "the guard is not before this link" in world.comment
    assert metrics.get_sample_value("previewbot_guard_missing") == 1

    found = await a_quarter_later(Answer(401, from_guard=True))
    assert [each for each in found if not each.pretends]
    assert (stands(world), OPEN in world.comment) == ((Phase.READY, Reason.ALL_READY), True)
    # By itself, and by the pass that was due: nothing else has happened.
    assert asked < len(world.links.asked)


async def test_it_is_told_at_once_that_the_guard_is_gone() -> None:
    world = guarded()
    await world.settle(6)
    world.links.stranger, begun = OURS, world.clock()
    while world.status.link.why is not Why.UNGUARDED:
        # As the passes themselves say when the next is due.
        assert world.outcome.requeue_after is not None
        world.clock.forward(seconds=world.outcome.requeue_after)
        await world.run()
    assert timedelta(minutes=7) < world.clock() - begun < timedelta(minutes=13)
    for _ in range(3):
        await world.run()
        assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)


async def test_without_keys_of_the_guard_nothing_is_asked_and_the_platform_team_is_told() -> None:
    world = guarded()

    def unreadable() -> tuple[bytes, ...]:
        raise SettingsError(("no such file",))

    world.guard_keys = unreadable
    await world.settle(80)

    assert world.links.asked == []
    assert (world.status.link.why, world.status.link.answered) == (Why.GUARD_NOT_ASKED, 0)
    assert "the controller cannot read the guard's keys" in world.comment


@pytest.mark.parametrize(
    ("status", "refusal", "words"),
    [
        (401, Refusal.WRONG_BEARER, "need the same keys for it"),
        (401, Refusal.UNKNOWN, "does not hand the header `x-previewbot-bearer` on"),
        (403, Refusal.MISDIRECTED, "as `links.gateway.guard.host_in` has it"),
        (503, Refusal.UNUSABLE, "pages cannot read the guard's keys"),
    ],
)
async def test_a_guard_that_refuses_us_is_told_with_what_to_look_at(
    status: int, refusal: Refusal, words: str
) -> None:
    world = guarded(Answer(status, from_guard=True, refusal=refusal))
    await world.settle(80)

    assert stands(world) == (Phase.DEPLOYING, Reason.LINK_UNANSWERED)
    assert words in world.comment
    assert f"(it answered `{status}`)" in world.comment
