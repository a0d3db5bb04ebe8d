"""Whether a delivery is GitHub's: its headers, and the signature over its raw body."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

from werkzeug.datastructures import Headers

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


class Refused(Exception):
    """A delivery that is not taken: the status that answers it, and why."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


def check_headers(headers: Headers) -> tuple[str, str, str]:
    """Return signature, event and delivery id of a delivery that is worth reading; raises with the reason.

    These are what GitHub always sends:
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
    """
    signature = headers.get("X-Hub-Signature-256")
    if not signature:
        raise Refused(401, "X-Hub-Signature-256 is missing: set the webhook's secret in the App's settings")
    if not _SIGNATURE.fullmatch(signature):
        raise Refused(401, "X-Hub-Signature-256 is not a SHA-256 signature")
    event, delivery = (_required_header(headers, name) for name in ("X-GitHub-Event", "X-GitHub-Delivery"))
    if headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(400, "set the webhook's content type to application/json")
    return signature, event, delivery


def check_signature(signature: str, pieces: Iterable[bytes], secrets: tuple[bytes, ...]) -> tuple[int, bytes]:
    """Return which secret signed the raw body (SHA-256), and the body; raises with 401 if none did.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    expected = [hmac.new(secret, digestmod=hashlib.sha256) for secret in secrets]
    body = []
    for piece in pieces:
        for one in expected:
            one.update(piece)
        body.append(piece)
    # A plain comparison would stop at the first wrong character, and its duration would tell how many were
    # right. All are compared, so that it does not tell which secret fits either.
    fits = [hmac.compare_digest(signature, f"sha256={one.hexdigest()}") for one in expected]
    if True not in fits:
        raise Refused(401, "the signature does not match: the secret of the App and of previewbot differ")
    # Joined only now: for what is not signed there is never a second copy.
    return fits.index(True), b"".join(body)


def _required_header(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if not value or not value.isascii() or not value.isprintable() or len(value) > 200:
        raise Refused(400, f"{name} is missing or malformed: is this a webhook of GitHub's?")
    return value
