"""Somebody without write access floods a pull request with commands: it costs next to nothing."""

from __future__ import annotations

from collections import Counter

from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.plan.refusals import ANSWERS_AN_HOUR, ANSWERS_IN_ALL, WORDS_FOR
from tests.support.passes import World, ready


def shouts(world: World, login: str, times: int, words: str = "/preview help") -> list[int]:
    """Write a command many times over as somebody who may only read."""
    world.github.permissions[login] = "read"
    written = [world.github.say(words, login) for _ in range(times)]
    world.poke()
    return written


async def rest(world: World, passes: int = 12) -> None:
    """Make passes until nothing more is due at once."""
    await world.settle(passes, seconds=1)


async def test_two_hundred_commands_of_one_stranger_cost_one_lookup_words_and_two_reactions() -> None:
    world = await ready()
    first, second, *_ = shouts(world, "mallory", 200)
    await rest(world)

    assert world.github.asked_about == ["mallory"]
    assert ["write access" in answer for answer in world.answers] == [True]
    assert sorted(world.github.reacted) == [(first, "confused"), (second, "confused")]
    assert world.status.replies == ()


async def test_each_look_asks_once_about_each_who_wrote() -> None:
    world = await ready()
    for _ in range(5):
        shouts(world, "mallory", 3)
        world.say("/preview status")
    await world.run()

    assert Counter(world.github.asked_about) == {"mallory": 1, "ann": 1}


async def test_a_renamed_stranger_is_the_same_stranger() -> None:
    world = await ready()
    shouts(world, "mallory", 1)
    await rest(world)
    world.github.accounts["mallory2"] = world.github.accounts["mallory"]
    shouts(world, "mallory2", 3)
    await rest(world)

    assert len(world.answers) == 1
    assert len(world.github.reacted) == 2


async def test_a_stranger_who_comes_back_later_is_told_nothing_again_even_after_a_restart() -> None:
    world = await ready()
    shouts(world, "mallory", 5)
    await rest(world)
    world.restart()
    world.clock.forward(hours=2)
    shouts(world, "mallory", 5)
    await rest(world)

    assert len(world.answers) == 1
    assert len(world.github.reacted) == 2


async def test_many_accounts_together_do_not_get_much() -> None:
    world = await ready()
    for number in range(200):
        shouts(world, f"stranger-{number}", 2)
    await rest(world, 40)

    assert len(world.answers) == WORDS_FOR
    assert len(world.github.reacted) == ANSWERS_IN_ALL
    assert Counter(world.github.asked_about).most_common(1)[0][1] <= 2
    assert (world.status.replies, world.outcome.error) == ((), None)
    assert len(world.status.requests.refused) <= ANSWERS_IN_ALL
    assert len(world.status.requests.handled) <= 50


async def test_on_many_pull_requests_they_do_not_get_much_either_and_what_is_asked_is_handled() -> None:
    world, words = World(), 0
    world.github.labels = ()
    for number in range(100, 300):
        world.turn_to(number)
        shouts(world, f"stranger-{number}", 2)
        await rest(world, 4)
        assert world.cluster.preview is None
        words += len(world.answers)

    assert words + len(world.github.reacted) <= 2 * ANSWERS_AN_HOUR
    assert len(world.github.reacted) == ANSWERS_AN_HOUR
    world.clock.forward(hours=1)
    shouts(world, "bob", 1)
    await rest(world, 4)
    assert len(world.answers) == 1


async def test_a_writer_is_answered_when_strangers_have_used_up_their_answers() -> None:
    world = await ready()
    for number in range(100):
        world.turn_to(number + 100)
        shouts(world, f"stranger-{number}", 2)
        await rest(world, 3)
    asked = world.say("/preview strat")
    world.say("/preview help")
    await rest(world, 4)

    assert any(f"reply-to={asked} " in body for body in world.answers)
    assert len([body for body in world.answers if "reply-to" in body]) >= 2


async def test_where_nothing_triggers_a_preview_a_stranger_is_told_once_too() -> None:
    world = World()
    world.github.labels = ()
    for _ in range(6):
        shouts(world, "mallory", 20)
        await rest(world, 3)
        assert world.cluster.preview is None

    assert len(world.answers) == 1
    assert len(world.github.reacted) == 2


async def test_where_nothing_triggers_a_preview_the_conversation_says_after_a_restart_who_was_told() -> None:
    world = World()
    world.github.labels = ()
    for _ in range(6):
        world.restart()
        shouts(world, "mallory", 20)
        await rest(world, 3)
        assert world.cluster.preview is None

    assert len(world.answers) == 1
    # A reaction that is there already is not given twice by GitHub.
    assert len(set(world.github.reacted)) <= 2 * 6


async def test_who_was_answered_before_and_may_write_no_more_is_told_so_in_words() -> None:
    world = World()
    world.github.labels = ()
    world.say("/preview status")
    await rest(world, 3)
    assert ["that needs write access" in answer for answer in world.answers] == [False]
    # Nothing but the conversation tells afterwards who was answered there.
    world.restart()
    for _ in range(2):
        shouts(world, "ann", 2)
        await rest(world, 3)

    assert ["that needs write access" in answer for answer in world.answers] == [False, True]


async def test_on_a_closed_pull_request_a_stranger_is_told_once_too() -> None:
    world = await ready()
    world.close()
    await world.settle()
    for _ in range(6):
        shouts(world, "mallory", 20)
        await rest(world, 3)
        assert world.cluster.preview is None

    assert len(world.answers) == 1
    assert len(world.github.reacted) == 2


async def test_a_bot_that_repeats_itself_gets_two_reactions_and_no_lookup() -> None:
    world = await ready()
    world.github.accounts["renovate[bot]"] = a_bot = world.github.bot("renovate[bot]")
    assert a_bot.type == "Bot"
    for _ in range(30):
        world.github.say("/preview start", "renovate[bot]")
    world.poke()
    await rest(world)

    assert (world.github.asked_about, world.answers) == ([], [])
    assert len(world.github.reacted) == 2


async def test_who_may_write_is_answered_as_often_as_they_ask() -> None:
    world = await ready()
    shouts(world, "mallory", 100)
    written = [world.say("/preview status") for _ in range(30)]
    await rest(world)

    answered = [number for number in written if any(f"reply-to={number} " in body for body in world.answers)]
    assert answered == written


async def test_answers_that_cannot_be_given_do_not_pile_up_without_end() -> None:
    world = await ready()
    world.fail("create comment", "react", by=TryLater("GitHub", status=502))
    for _ in range(10):
        for _ in range(30):
            world.say("/preview status")
        await rest(world, 2)

    assert len(world.status.replies) <= 100
    world.mend()
    last = world.say("/preview status")
    await world.settle(20, seconds=10)
    assert any(f"reply-to={last} " in body for body in world.answers)
    assert world.status.replies == ()


async def test_answers_that_wait_for_a_conversation_that_cannot_be_read_keep_nobody_busy() -> None:
    world = await ready()
    world.say("/preview status")

    def fail() -> None:
        world.fail("comments", by=Forbidden("GitHub", status=403))

    # The second time it is read before the answer is written.
    world.calls.watch("comments", lambda: world.calls.watch("comments", fail))
    outcome = await world.run()

    assert len(world.status.replies) == 1
    assert outcome.requeue_after is not None and outcome.requeue_after >= 5
