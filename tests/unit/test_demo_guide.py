"""What to try next in the demo: each step is ticked off by what can be seen, and stays so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot_demo.guide import STEPS, PullSeen, Seen, progress
from previewbot_demo.tasks import TASKS

NAMES = [step.name for step in STEPS]
NOTHING: frozenset[str] = frozenset()

OPENED = PullSeen("web", says="…")
READY = replace(OPENED, link="http://a.preview.localhost/cart", shown=True, serving=("s1",))
STOPPED = replace(READY, shown=False, serving=(), stopped=True)

SEEN = {
    "nothing": (Seen(), set()),
    "a pull request of the front end": (Seen((PullSeen("web"),)), {"open"}),
    "a comment without a link": (Seen((OPENED,)), {"open"}),
    "a comment with a link": (Seen((READY,)), {"open", "comment"}),
    "the link opened": (Seen((replace(READY, opened=True),)), {"open", "comment", "click"}),
    "one page on both sides is where it began": (Seen((READY,), frozenset({"/cart"})), {"open", "comment"}),
    "two pages on both sides": (Seen((READY,), frozenset({"/cart", "/"})), {"open", "comment", "walk"}),
    "a push that is not served yet": (
        Seen((replace(READY, pushes=1, shown=False),)),
        {"open", "comment"},
    ),
    "a push that is served": (Seen((replace(READY, pushes=1),)), {"open", "comment", "push"}),
    "a stop that was understood while the session still ends": (
        Seen((replace(STOPPED, serving=("s1",)),)),
        {"open", "comment"},
    ),
    "a stop": (Seen((STOPPED,)), {"open", "comment", "stop"}),
    "prices that nobody opened": (Seen((replace(READY, task="pricing"),)), set()),
    "prices that somebody opened": (Seen((replace(READY, task="pricing", opened=True),)), {"backend"}),
    "orders that somebody opened": (Seen((replace(READY, task="orders", opened=True),)), set()),
    "an order in the preview": (Seen((replace(READY, task="orders", ordered=True),)), {"order"}),
    "a reset whose copy is not there yet": (
        Seen((replace(READY, task="orders", ordered=True, reset=True, shown=False),)),
        {"order"},
    ),
    "a reset": (Seen((replace(READY, task="orders", ordered=True, reset=True),)), {"order", "reset"}),
    "a fork without a word": (Seen((PullSeen("fork"),)), set()),
    "a fork with the reason": (Seen((PullSeen("fork", says="…"),)), {"fork"}),
    "a build that waits": (Seen((PullSeen("catalog", says="…"),)), set()),
    "a build that failed": (Seen((PullSeen("catalog", says="…", failed=True),)), {"build"}),
    "merged, the session still there": (Seen((replace(READY, state="merged"),)), {"open", "comment"}),
    "merged": (Seen((replace(READY, state="merged", serving=()),)), {"open", "comment", "end"}),
    "closed": (Seen((replace(READY, state="closed", serving=()),)), {"open", "comment", "end"}),
    "closed before there was a preview": (Seen((replace(OPENED, state="closed"),)), {"open"}),
}


@pytest.mark.parametrize(("seen", "done"), SEEN.values(), ids=SEEN.keys())
def test_a_step_is_done_when_its_outcome_can_be_seen(seen: Seen, done: set[str]) -> None:
    assert progress(seen, NOTHING) == done


def test_a_preview_has_come_back_only_after_it_was_stopped() -> None:
    runs_again = Seen((replace(READY, stopped=True),))

    assert "start" not in progress(runs_again, NOTHING)
    assert "start" in progress(runs_again, progress(Seen((STOPPED,)), NOTHING))


def test_every_step_begins_at_a_page_that_there_is_and_has_a_name_of_its_own() -> None:
    assert {step.at for step in STEPS} <= {"pulls", "shop", *(task.name for task in TASKS)}
    assert len(set(NAMES)) == len(NAMES)


PULLS = st.builds(
    PullSeen,
    task=st.sampled_from([task.name for task in TASKS]),
    state=st.sampled_from(["open", "closed", "merged"]),
    pushes=st.integers(0, 2),
    link=st.sampled_from(["", "http://a.preview.localhost/cart"]),
    shown=st.booleans(),
    serving=st.sampled_from([(), ("s1",)]),
    opened=st.booleans(),
    says=st.sampled_from(["", "…"]),
    stopped=st.booleans(),
    failed=st.booleans(),
)


@given(st.lists(PULLS, max_size=4).map(tuple), st.frozensets(st.sampled_from(NAMES)))
def test_what_is_done_stays_done_whatever_is_seen_later(
    pulls: tuple[PullSeen, ...], before: frozenset[str]
) -> None:
    after = progress(Seen(pulls), before)

    assert before <= after <= set(NAMES)
