"""A session whose pods a test chooses, and the time that goes by with a pass whenever one is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support.passes import World
from tests.support.pods_in_trouble import Trouble, a_replica_set, an_event, troubles


class Session:
    """A pull request's only session, and the time that goes by as the controller lets it."""

    def __init__(self, world: World) -> None:
        self.world = world

    @classmethod
    async def starting(cls, **settings: Any) -> Session:
        """Return one that mirrord is making."""
        world = World(**settings)
        world.cluster.session_status = {"phase": "Waiting"}
        world.poke()
        await world.settle(4, seconds=1)
        return cls(world)

    @property
    def uid(self) -> str:
        [session] = self.world.cluster.sessions.values()
        uid: str = session["metadata"]["uid"]
        return uid

    @property
    def now(self) -> datetime:
        return self.world.clock.now

    @property
    def comment(self) -> str:
        return self.world.comment

    def shows(self, *pods: dict[str, Any]) -> None:
        """Let the cluster show these pods of it."""
        self.world.pods[self.uid] = pods

    def in_trouble(self, name: str) -> Trouble:
        """Let its pods be in this trouble from now on."""
        trouble = troubles(self.now)[name]
        self.shows(*trouble.pods(self.uid, self.now))
        self.world.cluster.events = trouble.said(self.uid, self.now)
        return trouble

    def has_no_pod(self, message: str, *, condition: bool = False) -> None:
        """Let what makes its pods have been told this, in an event or in its condition."""
        maker = a_replica_set(self.uid, self.now, message, condition=condition)
        self.world.cluster.others["replicasets"] = {"checkout": maker}
        uid, words = maker["metadata"]["uid"], f"Error creating: {message}"
        self.world.cluster.events = [] if condition else [an_event(uid, self.now, "FailedCreate", words)]

    async def lives(self, seconds: float, until: tuple[str, ...] = ()) -> float:
        """Let so much time go by, with a pass whenever one is due; return when the comment said it, if it
        did."""
        began = self.now
        end = began + timedelta(seconds=seconds)
        while True:
            await self.world.run()
            if until and all(words in self.comment for words in until):
                return (self.now - began).total_seconds()
            pause = self.world.outcome.requeue_after
            if pause is None or self.now + timedelta(seconds=pause) > end:
                self.world.clock.now = end
                await self.world.run()
                return (self.now - began).total_seconds()
            self.world.clock.forward(seconds=pause)
