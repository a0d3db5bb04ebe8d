"""What the guard tells those whom it does not let in."""

from __future__ import annotations

from previewbot.rules.guard_bearers import HEADER
from previewbot.rules.guard_refusals import Refusal

_HOW = (
    "in a browser, open the address in a tab of its own and sign in; a program sends a bearer of this very "
    f"preview as {HEADER}, which previewbot's JSON of it has"
)
NOBODY = f"this preview is open to whoever may read its repository: {_HOW}"
ANOTHER = "this was sent by the page of another preview, which may do nothing here"
MISDIRECTED = (
    "this is previewbot's guard, and the gateway does not say which preview is asked for, or not as "
    "links.gateway.guard.host_in of previewbot's settings has it; its platform team can mend that, and "
    "docs/guard.md says how"
)
UNUSABLE = (
    "previewbot's guard cannot read its keys (links.gateway.guard.keys_file of the settings), so it lets in "
    "nobody until its platform team has mended that; the log of pages says why"
)
WORDS_OF = {
    Refusal.WRONG_BEARER: "this bearer is none of this preview's; previewbot's JSON of the preview has the "
    "one that counts",
    Refusal.ENDED: "this bearer has ended; previewbot's JSON of the preview has a new one",
}
