"""Why the guard lets somebody not in, as its answer says it to those who look after it. Pure.

It stands in the header of each of its refusals. By it a gateway that asks in another way than it should, and
keys that are not the same everywhere, are told apart, which all mean that nobody gets in.
"""

from __future__ import annotations

from enum import StrEnum

from previewbot.api import Why

HEADER = "x-previewbot-guard"
"""Of each answer of the guard but the one with which a request goes on: by it the proof of a link knows the
guard. Whoever has a ticket is led on by such an answer, too, and then asks once more."""

ENTER = "/enter"
"""Where on previewbot's pages the guard leads people whom it does not let in."""


class Refusal(StrEnum):
    """Why somebody is not let in; the value is what stands in the header."""

    UNKNOWN = "refused"
    """Nothing that opens a preview came with the request."""
    WRONG_BEARER = "wrong-bearer"
    """A bearer came with it that is not of this preview, or not signed with a key of pages."""
    ENDED = "ended"
    """A bearer came with it that has ended."""
    MISDIRECTED = "misdirected"
    """The gateway does not ask as the settings say."""
    UNUSABLE = "unusable"
    """The guard's keys cannot be read in pages."""

    @classmethod
    def _missing_(cls, value: object) -> Refusal:
        """Read what only a newer version knows."""
        return cls.WRONG_BEARER


_WHY = {
    Refusal.UNKNOWN: Why.GUARD_SEES_NO_BEARER,
    Refusal.WRONG_BEARER: Why.GUARD_REFUSES_US,
    Refusal.ENDED: Why.GUARD_REFUSES_US,
    Refusal.MISDIRECTED: Why.GUARD_MISDIRECTED,
    Refusal.UNUSABLE: Why.GUARD_WITHOUT_KEYS,
}


def refusal_in(header: str) -> Refusal:
    """Return the refusal that a value of the header names, by its first word; without one that of nobody."""
    return Refusal.UNKNOWN if not header else Refusal(header.strip().lower().partition(" ")[0])


def proof_in(header: str) -> str:
    """Return what stands behind the refusal in a value of the header; empty if nothing does."""
    return header.strip().partition(" ")[2].strip()


def why_refused(refusal: Refusal) -> Why:
    """Return what it means that the guard refused previewbot's own bearer so."""
    return _WHY[refusal]
