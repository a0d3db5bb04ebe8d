"""Whether the guard is before previews, as the doctor sees it: a stranger must be refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from previewbot.api import Why
from previewbot.cli.doctor import secrets_of
from previewbot.clients.links import Question
from previewbot.config.server import GatewaySettings
from previewbot.doctor.check import Check, State
from previewbot.doctor.guarding import GUARD, KEYS, OfGuard, judged, judged_ours
from previewbot.doctor.web_judged import is_pages, leads_in
from previewbot.rules.guard_bearers import STRANGER, Standing, standing
from previewbot.rules.guard_refusals import Refusal
from previewbot.rules.link_answers import FROM_A_SESSION, Answer
from tests.support import guarded
from tests.support.people import settings
from tests.support.previews import NOW
from tests.unit.test_pages_for_people import a_ready_one

PAGES = "https://previews.example.com"
URL = f"https://{guarded.host_of(a_ready_one())}/"


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (Answer(401, from_guard=True), State.OK, "a stranger is refused"),
        (Answer(302, leads_to="previews.example.com", leads_to_path="/enter"), State.OK, "is refused"),
        (Answer(200), State.WRONG, "the gateway does not ask the guard"),
        # Envoy's own, where it does not get to pages.
        (Answer(403), State.WRONG, "the gateway does not get to pages"),
        (Answer(401), State.WRONG, "does not ask them and the preview itself answers so"),
        (Answer(401, agents=(FROM_A_SESSION,), from_guard=True), State.WRONG, "does not ask the guard"),
        (Answer(503), State.WRONG, "the gateway does not get to pages"),
        (Answer(302, leads_to="previews.example.com", leads_to_path="/p/1/2"), State.NOT_CHECKED, "its page"),
        (Answer(failure=Why.NO_NAME), State.NOT_CHECKED, "nobody answers"),
    ],
)
def test_what_a_stranger_is_answered_says_whether_the_guard_is_there(
    answer: Answer, state: State, words: str
) -> None:
    check = judged(answer, URL, PAGES)

    assert (check.state, words in check.words) == (state, True), check.words


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (Answer(200), State.OK, "a stranger is refused, and who has a bearer of it is let in"),
        (Answer(403, agents=(FROM_A_SESSION,)), State.OK, "is let in"),
        (
            Answer(401, from_guard=True, refusal=Refusal.UNKNOWN),
            State.WRONG,
            "without the header x-previewbot-b",
        ),
        (
            Answer(302, leads_to="previews.example.com", leads_to_path="/enter"),
            State.WRONG,
            "without the header",
        ),
        (Answer(401, from_guard=True, refusal=Refusal.WRONG_BEARER), State.WRONG, "the same file"),
        (Answer(401, from_guard=True, refusal=Refusal.ENDED), State.WRONG, "the clock"),
        (Answer(403, from_guard=True, refusal=Refusal.MISDIRECTED), State.WRONG, "guard.host_in"),
        (Answer(503, from_guard=True, refusal=Refusal.UNUSABLE), State.WRONG, "cannot read the guard's keys"),
    ],
)
def test_a_guard_that_refuses_the_doctor_too_is_wrong_and_says_why(
    answer: Answer, state: State, words: str
) -> None:
    check = judged_ours(answer, URL, "a stranger is refused", PAGES)

    assert (check.state, words in check.words) == (state, True), check.words


class _Kube:
    """A cluster in which these previews are."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self._objects = objects

    async def list_for_watch(self, resource: object, namespace: None, keep: Any) -> tuple[list[Any], str]:
        return [keep(each) for each in self._objects], "1"

    async def get_child(self, resource: object, namespace: str, name: str) -> None:
        return None


class _Links:
    def __init__(self, answers: tuple[Answer, ...]) -> None:
        self.asked: list[Question] = []
        self._answers = list(answers)

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        answer = self._answers.pop(0)
        return guarded.proven(answer, question) if question.pretends else answer


async def look(
    keys: tuple[bytes, ...] | None, *objects: dict[str, Any], answers: tuple[Answer, ...] = (Answer(200),)
) -> tuple[Check, list[Question]]:
    gateway = GatewaySettings.model_validate(guarded.links()["gateway"])
    kube: Any = _Kube(list(objects))
    links: Any = _Links(answers)
    [question] = OfGuard(lambda: kube, links, gateway, keys, PAGES, lambda: NOW).questions()
    [check] = await question.ask()
    return check, links.asked


async def test_a_preview_that_runs_is_asked_for_as_somebody_who_may_open_another() -> None:
    site = guarded.Guarded()
    site.cluster.hold(a_ready_one())
    objects = list(site.cluster.objects.values())

    check, [question] = await look(guarded.KEYS, {"spec": {"environmentKey": "none"}}, *objects)

    assert (check.name, check.state) == (GUARD, State.WRONG)
    assert (question.url, question.pretends) == (URL, f"{STRANGER}.{guarded.DOMAIN}")
    assert question.bearer.startswith(f"pvb1.{STRANGER}.")
    # Who was not refused is not told the doctor's own bearer; who was is asked with it.
    refused = Answer(401, from_guard=True)
    check, [_, ours] = await look(guarded.KEYS, *objects, answers=(refused, Answer(200)))
    assert (check.state, ours.pretends) == (State.OK, "")
    assert (
        standing(guarded.KEYS, ours.bearer, URL[8:].partition(".")[0], guarded.DOMAIN, NOW) is Standing.COUNTS
    )
    faked = replace(refused, proof="x" * 43)
    check, _ = await look(guarded.KEYS, *objects, answers=(faked, Answer(200)))
    assert (check.state, "not as the guard does" in check.words) == (State.WRONG, True)
    assert (await look(guarded.KEYS))[0].state is State.NOT_CHECKED
    assert (await look(None, *objects))[0].state is State.NOT_CHECKED


def test_keys_that_cannot_be_used_are_told_and_are_not_taken_for_pages_secrets(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    links = guarded.links()
    links["gateway"]["guard"]["keys_file"] = str(file)
    found = settings(links=links)

    assert "pages" not in secrets_of(found, {}).here
    file.write_text("short")
    assert "pages" not in secrets_of(found, {}).here
    told = {each.name: each for each in secrets_of(found, {}, "controller").checks}
    assert told[KEYS].state is State.WRONG
    assert "nobody gets past the guard" in told[KEYS].words
    file.write_bytes(guarded.KEYS[0])
    secrets = secrets_of(found, {}, "pages")
    assert (secrets.guard_keys, {each.name: each.state for each in secrets.checks}[KEYS]) == (
        guarded.KEYS[:1],
        State.OK,
    )


@pytest.mark.parametrize(
    ("status", "is_pages", "state"),
    [(404, True, State.OK), (404, False, State.WRONG), (302, False, State.NOTE), (200, True, State.NOTE)],
)
def test_where_the_guard_leads_people_pages_must_answer(status: int, is_pages: bool, state: State) -> None:
    assert leads_in("https://previews.example.com/enter", status, is_pages=is_pages).state is state


def test_pages_are_told_from_web_and_from_a_gateway_by_their_headers() -> None:
    pages = guarded.Guarded().app.test_client()
    answer = pages.get("/enter", base_url=PAGES, headers={"Accept": "text/html"})

    assert (answer.status_code, is_pages(dict(answer.headers))) == (404, True)
    assert not is_pages({**dict(answer.headers), "Content-Type": "text/plain"})
    assert not is_pages({"Content-Type": "text/html"})


async def test_a_preview_without_a_route_is_not_asked_for() -> None:
    """The gateway says of its host that nobody is there, which is no word about the guard."""
    status = {"services": [{"servingSha": "a" * 40}]}
    spec = {"environmentKey": "first-shop-1"}
    for kind in ("Header", "ShareHost"):
        check, asked = await look(guarded.KEYS, {"spec": spec, "status": {**status, "link": {"kind": kind}}})

        assert (check.state, asked) == (State.NOT_CHECKED, [])
    # One whose link is kept back, since a stranger got in, has no kind.
    _, [question, *_] = await look(guarded.KEYS, {"spec": spec, "status": {**status, "link": {}}})
    assert question.url.startswith("https://first-shop-1.")
