"""What is planned, in words, and stored before it is done: with the slot, under one lock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from previewbot.api import Reason, Status
from previewbot.engine.view import view_of
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Observation
from previewbot.reconciler.plan.conditions import with_messages
from previewbot.reconciler.plan.places import exceptions_in_words
from previewbot.reconciler.plan.planner import Plan, make_plan
from previewbot.reconciler.store import PreviewStore
from previewbot.rules.slots import withheld


def plan_for(context: Context, store: PreviewStore, observation: Observation) -> Plan:
    """Return the plan for what was observed, in the comment's words."""
    plan = make_plan(observation, context.kinds, context.route)
    return replace(plan, status=with_words(context, store, plan.status))


def with_words(context: Context, store: PreviewStore, status: Status) -> Status:
    """Return a status whose conditions have the comment's words; an unchanged one as it was."""
    if status is store.status:
        return status
    words = context.renderer.headline(view_of(context.settings, store.with_status(status)))
    owner = store.preview.spec.repository.partition("/")[0]
    conditions = with_messages(status.conditions, words, exceptions_in_words(status, owner))
    return status if conditions == status.conditions else replace(status, conditions=conditions)


def _ends_for_another(before: Status, after: Status) -> bool:
    ended = after.lifecycle.ended
    return before.lifecycle.ended is None and ended is not None and ended.reason is Reason.GAVE_WAY


async def store_plan(
    context: Context, slots: asyncio.Lock, store: PreviewStore, observation: Observation, plan: Plan
) -> tuple[Observation, Plan]:
    """Store what the plan says before acting on it: cleared uids, messages of failures, the slot taken.

    Whether there is a slot is asked and the answer stored under one lock: else two passes could take the last
    one both, each while the other was between its question and its write.
    """
    if _ends_for_another(store.status, plan.status):
        async with slots:
            # Two that sleep may both have been asked to go for the same one. Whoever comes second sees here
            # that the first is on its way out, and stays.
            if not context.gives_way(store.preview):
                observation = replace(observation, gives_way=False)
                plan = plan_for(context, store, observation)
            await store.write(plan.status)
        return observation, plan
    if not plan.steps.needs_slot or store.status.slot.held:
        await store.write(plan.status)
        return observation, plan
    async with slots:
        # The plan may say already that it holds the slot which was free when we looked. Whether it is free
        # still is the question here, so it must not be taken for an answer.
        waiting = replace(plan.status, slot=replace(plan.status.slot, held=False))
        grant = context.slot_for(store.with_status(waiting))
        if observation.read_error is not None:
            # Nothing can be made in it, perhaps for an hour, and whoever uses up their own installation's
            # requests must not keep it from others.
            grant = withheld(grant, store.status.slot, context.settings.limits.previews)
        if grant != observation.slot:
            observation = replace(observation, slot=grant)
            plan = plan_for(context, store, observation)
        if plan.creates and not observation.fresh:
            # A slot was freed while we waited for the lock. It is ours now, but the facts may be minutes old:
            # the next pass reads GitHub before it makes anything.
            plan = replace(plan, may_create=False)
        await store.write(plan.status)
    return observation, plan
