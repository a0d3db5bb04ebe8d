"""What the worker of pictures says of itself means for pictures: judged here, asked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.doctor.check import Check, not_checked, note, ok, safe, wrong
from previewbot.rules.pictures_health import BrowserState, Health

FILE = "the secret of pictures"
WORKER, VERSION, BROWSER = "pictures: the worker", "pictures: its version", "pictures: its browser"

_MEBIBYTE = 1024 * 1024
_TOO_OFTEN = 3
"""Pictures in a row that a browser cannot take: one page may well be too much for it."""


def unknown_name(url: str) -> Check:
    """Return that the host of the worker has no address."""
    words = (
        f"no address is known for the host of {url}: is the worker installed (pictures.enabled of the "
        "chart), and is that its Service's name (pictures.url)?"
    )
    return wrong(WORKER, words)


def no_answer(url: str, why: str) -> Check:
    """Return that nobody answers there."""
    words = (
        f"nobody answers at {url} ({safe(why)}): see whether its pod runs (its log says why it does not), "
        "and whether a NetworkPolicy lets this pod get there"
    )
    return wrong(WORKER, words)


def another_secret(url: str) -> Check:
    """Return that the worker does not know our secret."""
    words = (
        f"the worker at {url} knows another secret than the one here (pictures.token_file): give both the "
        "same Secret (pictures.existingSecret of the chart); a change counts after a minute or two"
    )
    return wrong(WORKER, words)


def in_trouble(url: str, status: int) -> Check:
    """Return that the worker answers, and cannot serve."""
    words = f"{url} answers {status}: the worker cannot read its secret, or fails otherwise; its log says why"
    return wrong(WORKER, words)


def another(url: str, said: str) -> Check:
    """Return that something else answers there."""
    words = f"something else than the worker of pictures answers at {url} ({safe(said)}): see pictures.url"
    return wrong(WORKER, words)


def stands(url: str, health: Health, ours: str) -> Sequence[Check]:
    """Return what a worker's answer says of it; `ours` is the version of the doctor."""
    found = [ok(WORKER, f"it answers at {url} and takes our secret; {_holds(health)}")]
    if health.version != ours:
        words = (
            f"it is previewbot {safe(health.version)}, and this one {ours}: build its image "
            "(Dockerfile.pictures) of the same version"
        )
        found.append(note(VERSION, words))
    return [*found, _browser(health)]


def _browser(health: Health) -> Check:
    if health.browser is BrowserState.UNTRIED:
        return not_checked(BROWSER, "the worker tries it just now; ask again")
    if health.browser is BrowserState.CANNOT_START:
        words = (
            f"it cannot start, so every picture is told as one that the browser could not take. It says: "
            f"{safe(health.why) or 'nothing'}. Look whether the image is the one of Dockerfile.pictures, "
            "whether /tmp can be written, and whether the pod has memory enough (pictures.resources)"
        )
        return wrong(BROWSER, words)
    if health.failed >= _TOO_OFTEN:
        words = (
            f"it starts, but could not take the last {health.failed} pictures: a page that is too much for "
            "it, or too little memory (pictures.resources); the worker's log names the previews"
        )
        return note(BROWSER, words)
    return ok(BROWSER, "it starts")


def _holds(health: Health) -> str:
    size, most = (-(-number // _MEBIBYTE) for number in (health.size, health.most))
    waits = f", {health.waiting} pictures wait for their turn" if health.waiting else ""
    previews = f"{health.previews} preview{'' if health.previews == 1 else 's'}"
    return f"it has pictures of {previews}, {size} of {most} MiB{waits}"
