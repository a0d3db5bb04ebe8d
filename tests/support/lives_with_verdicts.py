"""A life in which people say what they think of each commit, with a fault at one of the changing requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from previewbot.api import Says
from previewbot.api.check_runs import VERDICT_CHECK_NAME
from previewbot.text.quotes import parse_quote
from previewbot.text.verdicts import verdict_comment
from tests.support.fault_points import NOWHERE, NotSo, Point
from tests.support.lives_in_process import Life, Seen
from tests.support.passes import ANN, BOTH, OWN_APP, A, B
from tests.support.proxied import BY_HEADER


class LifeWithVerdicts(Life):
    """Judged, pushed to, judged anew, edited, said again, deleted, closed."""

    def __init__(self, paths: Sequence[str] = BOTH[:1], point: Point = NOWHERE) -> None:
        super().__init__(paths, point, verdicts="check")
        self._good: set[str] = set()

    async def live(self) -> Seen:
        world = self.world
        world.push(A)
        await self._until("the preview", partial(self._serves, A))
        await self._until("a check that waits", partial(self._stands, A, "None"))
        self._say(A, Says.WORK)
        await self._until("a check that asks for work", partial(self._stands, A, "action_required"))
        world.push(B)
        await self._until("the second commit", partial(self._serves, B))
        await self._until("another that waits", partial(self._stands, B, "None"))
        first = self._say(B, Says.GOOD)
        await self._until("a yes", partial(self._stands, B, "success"))
        world.github.edit(first, "nothing of the kind", world.github.author.id)
        world.poke()
        await self._until("a check that waits again", partial(self._stands, B, "None"))
        second = self._say(B, Says.GOOD)
        await self._until("a yes again", partial(self._stands, B, "success"))
        world.github.delete(second)
        world.poke()
        await self._until("a check that waits once more", partial(self._stands, B, "None"))
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        return Seen((self._conclusion(A), self._conclusion(B)), self._signs(), timedelta(0))

    def _say(self, sha: str, says: Says) -> int:
        if says is Says.GOOD:
            self._good.add(sha)
        return self.world.say(verdict_comment(says, sha, "/", "", preview_url=""), ANN, OWN_APP)

    def _stands(self, sha: str, conclusion: str) -> bool:
        return self._conclusion(sha) == conclusion

    def _conclusion(self, sha: str) -> str:
        runs = self.world.github.checks.of(sha, VERDICT_CHECK_NAME)
        if len(runs) > 1:
            raise NotSo(f"{len(runs)} checks of verdicts on {sha[:7]}")
        return str(runs[0].conclusion) if runs else "missing"

    def _check_what_always_holds(self) -> None:
        super()._check_what_always_holds()
        for sha in (A, B):
            runs = self.world.github.checks.of(sha, VERDICT_CHECK_NAME)
            said = [str(each.conclusion) for run in runs for each in run.said]
            if "success" in said and sha not in self._good:
                raise NotSo(f"a yes to {sha[:7]} that nobody gave")
            if set(said) & {"neutral", "skipped"}:
                raise NotSo(f"a check of verdicts that is no verdict: {said}")


class LifeWithQuotations(Life):
    """Quoted by proxy: twice of one commit, once of the next, just before the end; two hours more."""

    def __init__(self, paths: Sequence[str] = BOTH[:1], point: Point = NOWHERE) -> None:
        super().__init__(
            paths,
            point,
            access="proxy",
            proxy={**BY_HEADER, "may_extend": True},
            public_url="https://previews.example.com",
            sign_in={"cookie_keys_file": "/nowhere/cookie-keys"},
        )

    async def live(self) -> Seen:
        world = self.world
        world.push(A)
        await self._until("the preview", partial(self._serves, A))
        world.say_by_proxy("The sum is wrong.", "Pia")
        world.say_by_proxy("It is.", "Quentin")
        await self._until("both of them", lambda: len(world.status.verdicts) == 2)
        world.push(B)
        await self._until("the second commit", partial(self._serves, B))
        world.press("extend", by_proxy="Pia")
        await self._until("two hours more", lambda: self._open_for() == timedelta(hours=10))
        world.say_by_proxy("", "Pia", Says.GOOD)
        await self._until("all that they say", lambda: len(world.status.verdicts) == 3)
        world.say_by_proxy("Wait!", "Quentin", sha=B)
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        return Seen(self._conversation(), self._signs(), timedelta(0))

    def _check_what_always_holds(self) -> None:
        super()._check_what_always_holds()
        found = [quote for body in self.world.github.own_comments() if (quote := parse_quote(body))]
        if len(found) != len({each.request for each in found}):
            raise NotSo(f"somebody is quoted twice: {found}")
