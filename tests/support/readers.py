"""Previews as those see them who are signed in, and who these are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from previewbot.api import AgentSeen, Preview
from previewbot.api.rights import Rights
from previewbot.api.verdicts import Says, Verdict
from previewbot.text.for_reader import ForReader, Note
from previewbot.text.qr import qr_svg
from previewbot.text.telling import serving_sha
from tests.support.previews import HEAD, NOW, OLDER
from tests.support.states import STATES

TITLE = "Dress the basket for autumn"
READER = Rights(state=True, words=True, verdict=True, opens=True)
WRITER = replace(READER, hand_over=True, extend=True, control=True)


def a_verdict(**changes: object) -> Verdict:
    """Return what somebody said of an older commit, with what differs from that."""
    said = Verdict(
        comment=7001,
        node_id="IC_7001",
        login="bob",
        account=11,
        says=Says.WORK,
        head_sha=OLDER,
        path="/cart",
        words="The button is too small on my <phone>.",
        said_at=NOW - timedelta(hours=1),
        updated_at=NOW - timedelta(hours=1),
    )
    return replace(said, **changes)  # type: ignore[arg-type]


def for_people_of(state: str) -> Preview:
    """Return a preview in this state with a title, an agent, a way to compare, and what was said of it."""
    preview = STATES[state]
    status = preview.status
    observed = replace(
        status.observed,
        title=TITLE,
        author="rob",
        agent=status.observed.agent or AgentSeen("Copilot", "its account", key="copilot", kind="account"),
    )
    staging_url = "https://staging.example.com/cart" if status.link.url else ""
    verdicts = (
        a_verdict(),
        a_verdict(
            comment=7002, login="maria", says=Says.GOOD, head_sha=HEAD, path="/", words="", said_at=NOW
        ),
        a_verdict(comment=7003, login="eve", edited=True, words="Ship it."),
    )
    link = replace(status.link, staging_url=staging_url)
    return replace(preview, status=replace(status, observed=observed, link=link, verdicts=verdicts))


def reader_of(preview: Preview, rights: Rights, note: Note | None = None) -> ForReader:
    """Return somebody who looks at a preview's page with these rights."""
    return ForReader(
        rights=rights,
        login="maria",
        csrf="a-secret-of-this-session",
        form_id="0" * 32,
        agent="Copilot",
        mention="@copilot",
        serving_sha=serving_sha(preview.status.services),
        head_sha=preview.status.observed.head_sha,
        json_url="/p/812/42.json",
        tag='"a-tag"',
        qr=qr_svg("https://previews.example.com/p/812/42"),
        note=note,
    )
