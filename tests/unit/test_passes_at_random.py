"""Whatever happens, in whatever order: what serves has an end, no link shows staging, all is put right."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from previewbot.errors import Forbidden, TryLater
from previewbot_demo.kube.json_copy import json_copy
from tests.support.passes import ANN, BOTH, BROKEN, CONFIGURATION, GITHUB, A, B, C, World

# A machine that does much else may need minutes for these examples, and no test depends on speed.
pytestmark = pytest.mark.timeout(900)

COMMITS = (A, B, C)
COMMANDS = (
    "/preview start", "/preview restart", "/preview stop",
    "/preview extend 2h", "/preview status", "/preview strat",
    "/preview start checkout", "/preview stop checkout", "/preview stop pricing", "/preview logs",
    "/preview stop\n/preview start", "/preview stop pricing\n/preview status",
)  # fmt: skip
CONFIGURATIONS = (
    CONFIGURATION,
    BROKEN,
    CONFIGURATION.replace("target: deployment/checkout\n", "target: deployment/checkout/container/app\n"),
    CONFIGURATION + "ttl: 1h\n",
)
CLUSTER = ("create session", "delete session", "apply route", "get target", "create event")
GIVES_UP = timedelta(hours=80)
REFUSABLE = ("create comment", "update comment", "react", "runs", "apply route")
LOOKS = st.integers(0, 3)
LASTS = st.sampled_from((False, False, False, True))


class AnyOrder(RuleBasedStateMachine):
    """One pull request; people, GitHub, the operator, the gateway and time do as they like.

    After most of what happens the controller looks some times, or not in time.
    """

    @initialize(both=st.booleans(), fork=st.booleans(), ready=st.sampled_from((True, True, True, False)))
    def begin(self, both: bool, fork: bool, ready: bool) -> None:
        self.world = World()
        self.world.github.fork = fork
        if both:
            self.world.github.paths = BOTH
        if ready and fork:
            self.world.say(f"/preview start {A}")
        if ready:
            self.look(6)
            assert set(self.world.serving) == {A}

    # People

    @rule(sha=st.sampled_from(COMMITS), built=st.booleans(), looks=LOOKS)
    def push(self, sha: str, built: bool, looks: int) -> None:
        self.world.push(sha, built=built)
        self.look(looks)

    @rule(text=st.sampled_from(COMMANDS), named=st.booleans(), looks=LOOKS)
    def command(self, text: str, named: bool, looks: int) -> None:
        sha = (
            f" {self.world.github.head_sha}"
            if named and text in ("/preview start", "/preview restart")
            else ""
        )
        self.world.say(text + sha)
        self.look(looks)

    @rule(text=st.sampled_from(COMMANDS), on_lines=st.booleans(), looks=LOOKS)
    def review(self, text: str, on_lines: bool, looks: int) -> None:
        self.world.review(text, on_lines=on_lines)
        self.look(looks)

    @precondition(lambda self: any(c.author == ANN for c in self.world.github.comments_written))
    @rule(text=st.sampled_from(COMMANDS), looks=LOOKS)
    def correct(self, text: str, looks: int) -> None:
        written = [c for c in self.world.github.comments_written if c.author == ANN]
        self.world.github.edit(written[-1].id, text)
        self.world.poke()
        self.look(looks)

    @rule(suspended=st.booleans(), looks=LOOKS)
    def suspend(self, suspended: bool, looks: int) -> None:
        self.world.github.suspended = suspended
        self.world.poke()
        self.look(looks)

    @rule(both=st.booleans(), looks=LOOKS)
    def change_files(self, both: bool, looks: int) -> None:
        self.world.github.paths = BOTH if both else BOTH[:1]
        self.world.push(self.world.github.head_sha)
        self.look(looks)

    @rule(reopened_after=LOOKS, looks=LOOKS)
    def close(self, reopened_after: int, looks: int) -> None:
        self.world.close()
        self.look(reopened_after)
        self.world.github.state = "open"
        self.world.github.updated_at = self.world.clock.now
        self.world.poke()
        self.look(looks)

    @rule(configuration=st.sampled_from(CONFIGURATIONS), looks=LOOKS)
    def configure(self, configuration: str, looks: int) -> None:
        self.world.configure(configuration)
        self.look(looks)

    # The cluster

    @rule(phase=st.sampled_from(("Ready", "Ready", "Idle", "InProgress", "Failed")), looks=LOOKS)
    def sessions_become(self, phase: str, looks: int) -> None:
        self.world.cluster.session_becomes(phase)
        self.world.cluster.session_status = {"phase": "Waiting" if phase == "Failed" else phase}
        self.look(looks)

    @rule(looks=LOOKS)
    def somebody_removes_the_sessions(self, looks: int) -> None:
        self.world.cluster.sessions.clear()
        self.look(looks)

    @rule(follows=st.booleans(), removes=st.booleans())
    def the_cluster_is_slow(self, follows: bool, removes: bool) -> None:
        self.world.cluster.gateway.follows = follows
        self.world.cluster.operator_removes = removes
        if removes:
            self.finish_removals()

    def finish_removals(self) -> None:
        sessions = self.world.cluster.sessions
        kept = {n: s for n, s in sessions.items() if "deletionTimestamp" not in s["metadata"]}
        self.world.cluster.sessions = kept

    # What fails, most of it for a while

    @rule(
        calls=st.sampled_from((*((call,) for call in (*GITHUB, *CLUSTER)), GITHUB)),
        after=st.sampled_from((None, 3600.0)),
        looks=LOOKS,
        lasts=LASTS,
    )
    def something_fails(self, calls: tuple[str, ...], after: float | None, looks: int, lasts: bool) -> None:
        self.world.fail(*calls, by=TryLater("it", status=502, after=after))
        self.look(looks)
        self.mend_unless(lasts)

    @rule(call=st.sampled_from(REFUSABLE), looks=LOOKS, lasts=LASTS)
    def something_is_refused(self, call: str, looks: int, lasts: bool) -> None:
        self.world.fail(call, by=Forbidden(call, status=403, message="no"))
        self.look(looks)
        self.mend_unless(lasts)

    def mend_unless(self, lasts: bool) -> None:
        if not lasts:
            self.world.mend()

    # Time, and the controller

    @rule(seconds=st.sampled_from((1, 5, 20, 90, 700, 3_600)), looks=LOOKS)
    def time_passes(self, seconds: int, looks: int) -> None:
        self.world.clock.forward(seconds=seconds)
        self.look(looks)

    @precondition(lambda self: self.world.cluster.preview and self.world.status.lifecycle.expires_at)
    @rule(seconds=st.sampled_from((-60, -1, 0, 30)), looks=LOOKS)
    def the_time_is_nearly_up(self, seconds: int, looks: int) -> None:
        assert self.world.status.lifecycle.expires_at is not None
        end = self.world.status.lifecycle.expires_at + timedelta(seconds=seconds)
        self.world.clock.now = max(self.world.clock.now, end)
        self.look(looks)

    @rule()
    def the_controller_starts_again(self) -> None:
        self.world.restart()

    def look(self, passes: int) -> None:
        for _ in range(passes):
            outcome = asyncio.run(self.world.run())
            assert outcome.requeue_after is None or outcome.requeue_after >= 0.2
            self.what_serves_has_an_end()
            self.the_link_never_shows_plain_staging()
            self.world.clock.forward(seconds=2)

    def what_serves_has_an_end(self) -> None:
        if self.world.cluster.preview is None or self.world.calls.failures:
            return
        status = self.world.status
        if any(service.serving_sha for service in status.services):
            assert status.lifecycle.ended is not None or status.lifecycle.expires_at is not None

    def the_link_never_shows_plain_staging(self) -> None:
        if self.world.calls.failures:
            return
        sessions = self.world.cluster.sessions.values()
        serves = any(s["status"]["phase"] in ("Ready", "Idle") for s in sessions)
        assert serves or self.world.cluster.leads_to() != "staging"

    # Always

    @invariant()
    def no_service_has_two_sessions(self) -> None:
        services = [
            s["metadata"]["labels"]["previewbot.dev/service"] for s in self.world.cluster.sessions.values()
        ]
        assert len(services) == len(set(services))

    @invariant()
    def there_is_one_status_comment(self) -> None:
        own = [body for body in self.world.github.own_comments() if "previewbot status" in body]
        assert len(own) <= 1

    @invariant()
    def no_command_is_answered_twice(self) -> None:
        own = self.world.github.own_comments()
        answers = [body.split("-->")[0] for body in own if "previewbot reply" in body]
        assert len(answers) == len(set(answers))

    # At last

    def settle(self, seconds: float = 450) -> None:
        """Look as the queue does: soon after anything changed, else once the last pass said it is time."""
        while seconds > 0 and self.world.cluster.preview is not None:
            before = self.what_wakes_a_pass()
            outcome = asyncio.run(self.world.run())
            self.finish_removals()
            stands_still = outcome.error is None and self.what_wakes_a_pass() == before
            wait = min(seconds, max(15, outcome.requeue_after or seconds) if stands_still else 15)
            self.world.clock.forward(seconds=wait)
            seconds -= wait

    def what_wakes_a_pass(self) -> object:
        cluster = self.world.cluster
        version = cluster.preview and cluster.preview["metadata"]["resourceVersion"]
        return version, json_copy(cluster.sessions), json_copy(cluster.routes)

    def teardown(self) -> None:
        """With all mended each command is answered, nothing outlasts its time, and closing removes all."""
        world = self.world
        world.mend()
        world.github.suspended = False
        world.cluster.gateway.follows = world.cluster.operator_removes = True
        self.finish_removals()
        world.cluster.session_becomes("Ready")
        world.cluster.session_status = {"phase": "Ready"}
        for sha in COMMITS:
            world.registry.images |= {f"checkout:{sha}", f"pricing:{sha}"}
        world.poke() if world.cluster.preview is not None else None
        self.settle()
        if world.cluster.preview is not None:
            assert world.status.replies == ()
            self.it_stands_as_it_should()
            asyncio.run(world.run())
            assert not {"create comment", "update comment", "react"} & set(world.calls.made)
            world.clock.now += GIVES_UP
            self.settle()
            assert world.serving == []
            world.close()
            self.settle()
        assert world.cluster.preview is None
        assert world.cluster.sessions == {}

    def it_stands_as_it_should(self) -> None:
        world, status = self.world, self.world.status
        approved = not world.github.fork or status.lifecycle.approved_sha == world.github.head_sha
        wanted = world.github.configuration != BROKEN and status.lifecycle.ended is None and approved
        failed = any(child.failed_attempt for child in status.children)
        stopped = {each.name for each in status.lifecycle.stopped}
        wanted = wanted and not {"checkout", "pricing"}.issubset(stopped)
        wanted = wanted and not (stopped == {"checkout"} and world.github.paths != BOTH)
        if wanted and not failed:
            assert set(world.serving) == {world.github.head_sha}
            assert world.cluster.leads_to() == "staging"
            assert "[Open the preview]" in world.comment
        labels = [session["metadata"]["labels"] for session in world.cluster.sessions.values()]
        assert stopped.isdisjoint(each["previewbot.dev/service"] for each in labels)
        if status.lifecycle.ended is not None or not approved:
            assert world.serving == []
            assert "[Open the preview]" not in world.comment


AnyOrder.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestAnyOrder = AnyOrder.TestCase
