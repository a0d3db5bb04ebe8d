"""The part of the tour about programs: what CI and agents are told, where, and what they wait for."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from previewbot_demo.browser import Browser
from previewbot_demo.programs import Ended, Programs, Told, Waiting
from previewbot_demo.walking import Walker, Wrong

READY, FAILED, ENDED = 0, 1, 3
"""Exit codes of `previewbot wait`."""


class ProgramTour(Walker):
    """Steps about one pull request each; the tour says which, and what its link is."""

    def __init__(self, browser: Browser, patience: float, programs: Programs) -> None:
        super().__init__(browser, patience)
        self._programs = programs
        self._first_heads: dict[int, str] = {}
        self._waiting: dict[int, list[Waiting]] = {}

    async def wait_for(self, number: int, *, with_bearer: bool = False) -> None:
        """Start to wait for the commit that is newest now; `waited` says how it came out."""
        sha = await self._programs.head(number)
        self._first_heads.setdefault(number, sha)
        await self._wait(number, sha, with_bearer=with_bearer)

    async def told(self, number: int, link: str) -> None:
        """Both addresses and the comment's block say the same: that the newest commit answers at the link."""
        head = await self._programs.head(number)
        facts = await self._facts(self._programs.by_number(number))
        _hold(
            facts,
            repository_id=int(self._programs.by_number(1).split("/")[2]),
            number=number,
            phase="Ready",
            severity="good",
            turn="reviewer",
            head_sha=head,
            serving_sha=head,
            proven="Yes",
            url=link,
            header=f"baggage: mirrord-session={(urlsplit(link).hostname or '').partition('.')[0]}",
            ended=None,
        )
        for name in ("services", "blast_radius", "expires_at", "agent"):
            if not facts.get(name):
                raise Wrong(f"the JSON says no {name}")
        for name in ("page_url", "pull_request_url"):
            page = await self._browser.open(facts[name])
            if page.status != 200:
                raise Wrong(f"{name}, {facts[name]}, answers {page.status}")
        await self._until(f"the same by {self._programs.by_name(number)}", lambda: self._agree(number))
        await self._block_says(number)

    async def asked_again(self, number: int, link: str) -> None:
        """Whoever has the answer gets 304; without the bearer only the page's own address tells anything."""
        bearer, facts = self._programs.bearer, await self._facts(self._programs.by_number(number))
        for path in (self._programs.by_number(number), self._programs.by_name(number)):
            await self._until(f"304 from {path} for the ETag that it gave", partial(self._is_known, path))
            other = await self._programs.ask(path, bearer, tag='"another"')
            if other.status != 200:
                raise Wrong(f"{path} answers {other.status} to an ETag that is not its own")
            wrong = await self._programs.ask(path, "x" * 40)
            if wrong.status != 401:
                raise Wrong(f"{path} answers {wrong.status} to a wrong bearer")
        nobody = await self._programs.ask(self._programs.by_name(number))
        anybody = await self._programs.ask(self._programs.by_number(number))
        if (nobody.status, anybody.status) != (401, 200):
            raise Wrong(f"without a bearer by name {nobody.status}, by number {anybody.status} is answered")
        _hold(anybody.facts, head_sha=facts["head_sha"], url=link)

    async def named(self, number: int, link: str) -> None:
        """What comes through the link says of which commit it is; what staging answers says nothing."""
        head, page = await self._programs.head(number), await self._browser.open(link)
        if page.commit != head:
            raise Wrong(f"{link} answers as commit {page.commit or 'none'}, and the newest is {head}")
        staging = await self._browser.open(f"{self._browser.shop}/cart")
        if staging.commit:
            raise Wrong(f"staging answers as commit {staging.commit}")

    async def waited(self, number: int, link: str) -> None:
        """Whoever waited since it was opened has the link, and nothing else, on stdout."""
        ended = await self._ended(number, READY)
        if ended.out != f"{link}\n" or "ready: " not in ended.err:
            raise Wrong(f"`previewbot wait` printed {ended.out!r} and {ended.err!r}")

    async def told_anew(self, number: int, link: str) -> None:
        """All of it is told of the new commit; whoever waits for the one before learns that it is over."""
        await self.told(number, link)
        await self.named(number, link)
        await self._wait(number, self._first_heads[number])

    async def told_of_the_end(self, number: int, link: str) -> None:
        """What was stopped has ended, with why; the page that the link leads to is no commit's."""
        facts = await self._facts(self._programs.by_number(number))
        _hold(facts, phase="Stopped", severity="ended", serving_sha="")
        if not facts["ended"] or not facts["reason"]:
            raise Wrong(f"the JSON does not say since when it has ended, and why: {facts}")
        await self._block_says(number)
        answer = await self._browser.open(link)
        if answer.commit:
            raise Wrong(f"{link} leads to the page, and answers as commit {answer.commit}")

    async def waited_in_vain(self, replaced: int, unbuilt: int) -> None:
        """Another exit code each: another commit took the place of the first, the other was not built."""
        ended = await self._ended(replaced, ENDED)
        if ended.out or "has taken the place of" not in ended.err:
            raise Wrong(f"`previewbot wait` does not say that a commit was replaced: {ended}")
        told = json.loads((await self._ended(unbuilt, FAILED)).out)
        if (told["state"], told["url"], told["turn"]) != ("failed", "", "author"):
            raise Wrong(f"`previewbot wait --json` says of what was not built: {told}")

    async def close(self) -> None:
        """End whoever still waits."""
        await self._programs.close()

    async def _wait(self, number: int, sha: str, *, with_bearer: bool = False) -> None:
        waiting = await self._programs.wait(number, sha, with_bearer=with_bearer)
        self._waiting.setdefault(number, []).append(waiting)

    async def _ended(self, number: int, code: int) -> Ended:
        try:
            ended = await self._waiting[number].pop(0).ended(self._patience)
        except TimeoutError:
            raise Wrong(f"`previewbot wait` for pull request {number} goes on and on") from None
        if ended.code != code:
            raise Wrong(f"`previewbot wait` ends with {ended.code}, not {code}: {ended.err}")
        return ended

    async def _facts(self, path: str) -> dict[str, Any]:
        told = await self._programs.ask(path, self._programs.bearer)
        return _facts_of(told, path)

    async def _agree(self, number: int) -> bool:
        """Say whether both addresses tell the same; between the two questions there may be news."""
        by_name = await self._facts(self._programs.by_name(number))
        return by_name == await self._facts(self._programs.by_number(number))

    async def _is_known(self, path: str) -> bool:
        """Say whether an answer is known again by its ETag; between the two questions there may be news."""
        first = await self._programs.ask(path, self._programs.bearer)
        again = await self._programs.ask(path, self._programs.bearer, tag=first.tag)
        return bool(first.tag) and (again.status, again.facts) == (304, None)

    async def _block_says(self, number: int) -> None:
        """The comment, which is written after what it tells of, soon says the same."""

        async def same() -> bool:
            return not await differs()

        async def differs() -> str:
            facts = await self._facts(self._programs.by_number(number))
            block = await self._programs.block(number)
            if block is None:
                return "there is none"
            return _difference(block, {"previewbot": 1, **facts})

        async def seen() -> str:
            return f"; {await differs()}"

        await self._until(f"the JSON's facts in the comment's block of pull request {number}", same, seen)


def _facts_of(told: Told, path: str) -> dict[str, Any]:
    if told.status != 200 or not isinstance(told.facts, dict):
        raise Wrong(f"{path} answers {told.status} {told.facts}")
    return told.facts


def _hold(facts: dict[str, Any], **wanted: Any) -> None:
    """Hold facts to what is known otherwise."""
    difference = _difference({name: facts.get(name) for name in wanted}, wanted)
    if difference:
        raise Wrong(f"the JSON says {difference}")


def _difference(told: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return in words in which fields something else is told; empty if in none."""
    names = [name for name in {**wanted, **told} if told.get(name, ...) != wanted.get(name, ...)]
    return ", ".join(f"{name}: {told.get(name)!r}, not {wanted.get(name)!r}" for name in names)
