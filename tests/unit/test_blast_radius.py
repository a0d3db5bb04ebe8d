"""What a preview can touch: what is its own, what it shares with staging, and what is said above the fold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import (
    Isolation,
    Link,
    LinkKind,
    OwnDatabase,
    OwnMessages,
    Phase,
    Proven,
    Reason,
    RequestsTaken,
    Service,
    Severity,
    TakenBy,
    Uses,
    Why,
)
from previewbot.engine.mirrord import header
from previewbot.text.blast_radius import (
    Databases,
    Passing,
    Queues,
    blast_radius,
    databases_of,
    queues_of,
)
from previewbot.text.render import Renderer, View
from tests.support.previews import HEAD, a_preview

RENDERER = Renderer()
BY_BAGGAGE = RequestsTaken(TakenBy.BAGGAGE)
UNREACHED = OwnDatabase("branch-2", "orders", unreached=True)
ORDERS, MAIL = OwnDatabase("branch-1", "orders"), OwnMessages("mail")


def served(name: str = "checkout", **sent: Any) -> Service:
    isolation = Isolation(**({"requests": BY_BAGGAGE} | sent))
    return Service(name, "staging", f"deployment/{name}", serving_sha=HEAD, isolation=isolation)


def a_view(*services: Service, link: Link | None = None) -> View:
    preview = a_preview(phase=Phase.READY, reason=Reason.ALL_READY, services=services, link=link or Link())
    return View(
        preview=preview,
        page_url="https://previews.example.com/p/812/42",
        pull_request_url="https://github.com/acme/shop/pull/42",
        header=header(preview.spec.environment_key),
    )


@pytest.mark.parametrize(
    ("own", "uses", "told", "isolated"),
    [
        ((), None, Databases((), (), said=False), False),
        ((), (), Databases((), (), said=True), True),
        ((), ("users",), Databases((), ("users",), said=True), False),
        ((ORDERS,), ("orders",), Databases((ORDERS,), (), said=True), True),
        ((ORDERS,), ("orders", "users"), Databases((ORDERS,), ("users",), said=True), False),
        ((ORDERS,), None, Databases((ORDERS,), (), said=False), False),
        ((ORDERS,), (), Databases((ORDERS,), (), said=True), True),
        ((UNREACHED,), ("orders",), Databases((), ("orders",), said=True), False),
        ((UNREACHED,), (), Databases((), ("orders",), said=True), False),
    ],
)
def test_a_database_is_stagings_unless_the_session_has_its_own_or_the_file_says_that_there_is_none(
    own: tuple[OwnDatabase, ...], uses: tuple[str, ...] | None, told: Databases, isolated: bool
) -> None:
    found = databases_of(Isolation(databases=own, uses=Uses(databases=uses)))

    assert found == told
    assert found.isolated is isolated


@pytest.mark.parametrize(
    ("own", "uses", "told", "isolated"),
    [
        ((), None, Queues((), (), said=False), False),
        ((), (), Queues((), (), said=True), True),
        ((), ("mail",), Queues((), ("mail",), said=True), False),
        ((MAIL,), ("mail",), Queues((MAIL,), (), said=True), True),
        ((MAIL,), ("mail", "stock"), Queues((MAIL,), ("stock",), said=True), False),
        ((MAIL,), None, Queues((MAIL,), (), said=False), False),
        ((OwnMessages("*"),), None, Queues((OwnMessages("*"),), (), said=False), True),
        ((OwnMessages("*"),), ("mail",), Queues((OwnMessages("*"),), (), said=True), True),
    ],
)
def test_a_queue_is_shared_unless_it_is_split_or_the_file_says_that_there_is_none(
    own: tuple[OwnMessages, ...], uses: tuple[str, ...] | None, told: Queues, isolated: bool
) -> None:
    found = queues_of(Isolation(queues=own, uses=Uses(queues=uses)))

    assert found == told
    assert found.isolated is isolated


def test_nothing_is_told_of_what_does_not_serve() -> None:
    waiting = Service("checkout", "staging", "deployment/checkout")

    assert blast_radius(a_preview(services=(waiting,)).status) is None
    assert "can touch" not in RENDERER.comment(a_view(waiting))
    assert "can touch" not in RENDERER.page(a_view(waiting))


def test_services_of_which_the_same_is_true_share_a_sentence() -> None:
    radius = blast_radius(a_preview(services=(served("a"), served("b"), served("c", behind="web"))).status)

    assert radius is not None
    assert [[s.name for s in line.services] for line in radius.databases] == [["a", "b", "c"]]
    assert [[s.name for s in line.services] for line in radius.headers] == [["c"]]


@pytest.mark.parametrize(
    ("uses", "says"),
    [
        (Uses(), "Others see what **checkout** changes in staging's databases and queues."),
        (Uses(databases=()), "Others see what **checkout** changes in staging's queues."),
        (Uses(queues=()), "Others see what **checkout** changes in staging's databases."),
    ],
)
def test_above_the_fold_one_line_says_what_others_see(uses: Uses, says: str) -> None:
    above, _, fold = RENDERER.comment(a_view(served(uses=uses))).partition("<details>")

    assert says in above
    assert "can touch" in fold


def test_above_the_fold_nothing_is_said_where_all_is_its_own() -> None:
    isolated = served(uses=Uses(("orders",), ()), databases=(ORDERS,))

    assert "[!WARNING]" not in RENDERER.comment(a_view(isolated))
    assert "Others see" not in RENDERER.page(a_view(isolated))


def test_of_two_services_each_is_said_to_share_what_it_shares() -> None:
    comment = RENDERER.comment(a_view(served("checkout", uses=Uses(queues=())), served("mailer")))

    assert (
        "Others see what **checkout** changes in staging's databases "
        "and what **mailer** changes in staging's databases and queues."
    ) in comment


def test_a_session_that_takes_requests_of_others_is_told_above_the_fold() -> None:
    taking = served(requests=RequestsTaken(), uses=Uses((), ()))
    radius = blast_radius(a_preview(services=(taking,)).status)

    assert radius is not None
    assert radius.requests[0].severity is Severity.WARNING
    assert "may get other people's requests" in RENDERER.comment(a_view(taking)).partition("<details>")[0]


@pytest.mark.parametrize(
    ("link", "passing"),
    [
        (Link(), Passing.NOT_CHECKED),
        (Link(proven=Proven.YES, why=Why.PASSED_ON, passed_on=("pricing",)), Passing.PASSED_ON),
        # The front end is the preview's own, and of the service behind it nobody asked.
        (Link(proven=Proven.YES, why=Why.THIS_PREVIEW, about=("web",)), Passing.NOT_CHECKED),
        (
            Link(proven=Proven.NO, why=Why.NOT_PASSED_ON, about=("pricing",), unchecked=("pricing",)),
            Passing.NOT_PASSED_ON,
        ),
        (
            Link(proven=Proven.UNKNOWN, why=Why.CHECK_REFUSED, about=("pricing",), unchecked=("pricing",)),
            Passing.UNANSWERED,
        ),
        # Of two, one was answered: each is told as it is.
        (
            Link(proven=Proven.NO, why=Why.NOT_PASSED_ON, about=("stock",), passed_on=("pricing",)),
            Passing.PASSED_ON,
        ),
    ],
)
def test_whether_the_header_gets_there_is_known_only_where_it_was_checked(
    link: Link, passing: Passing
) -> None:
    radius = blast_radius(a_preview(services=(served("pricing", behind="web"),), link=link).status)

    assert radius is not None
    assert [line.fact.passing for line in radius.headers] == [passing]


def test_a_consumer_without_ports_needs_no_header() -> None:
    consumer = served(behind="web", requests=RequestsTaken(TakenBy.NOTHING))
    radius = blast_radius(a_preview(services=(consumer,)).status)

    assert radius is not None
    assert radius.headers == ()


def test_the_link_sets_the_header_only_where_it_just_works() -> None:
    just_works = Link(kind=LinkKind.GATEWAY, url="https://key.preview.example.com/")

    assert "the link sets it for you" in RENDERER.comment(a_view(served(), link=just_works))
    assert "the link sets it for you" not in RENDERER.comment(
        a_view(served(), link=replace(just_works, kind=LinkKind.HEADER))
    )


def test_the_page_names_no_workload_and_no_service_of_staging() -> None:
    service = replace(served("pricing", behind="internal-web"), target="deployment/internal-pricing-v2")
    page = RENDERER.page(a_view(service))

    assert "internal" not in page
    assert "internal" in RENDERER.comment(a_view(service))


def test_what_shows_data_of_its_own_is_not_said_to_show_stagings() -> None:
    assert "with its real data" in RENDERER.comment(a_view(served()))
    assert "with its real data" not in RENDERER.comment(a_view(served(databases=(ORDERS,))))


names = st.text(min_size=1, max_size=30)


@given(names, names, names)
def test_no_name_of_a_database_or_queue_ends_its_line_or_the_fold(
    database: str, queue: str, shared: str
) -> None:
    service = served(
        databases=(OwnDatabase("b", database),),
        queues=(OwnMessages(queue),),
        uses=Uses((database, shared), (queue, shared)),
    )
    comment = RENDERER.comment(a_view(service))
    before, _, lines = comment.partition("What this preview can touch:\n\n")

    assert "\n\n" in before
    listed = lines.partition("\n\n")[0].splitlines()
    assert [line.split(":")[0] for line in listed] == [
        "- **Requests**",
        "- **Databases**",
        "- **Queues**",
        "- **Environment**",
    ]
    assert RENDERER.page(a_view(service)).count("</dd>") == RENDERER.page(a_view(served())).count("</dd>")
