"""The settings of the guard: who answers a gateway that asks about each request for a preview."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic_core import InitErrorDetails

from previewbot.config import types as t
from previewbot.config.server.routes import FilterSettings
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw

LONGEST = timedelta(hours=24)
"""So long a browser is let in at most: whoever loses access to the repository stays in until then."""

_THIS_MACHINE = "localhost"


def _lasts(value: timedelta) -> timedelta:
    if value > LONGEST:
        raise mistake("guard_lasts")
    return value


class GuardSettings(t.Model):
    """The guard before previews: `/auth` of pages, which the gateway asks about each request."""

    host_in: Literal["Host", "X-Forwarded-Host"] = about(
        "the header in which the gateway tells the guard which host was asked for: `Host` by the Gateway "
        "API's ExternalAuth and by Envoy, `X-Forwarded-Host` by Traefik. With the wrong one nobody gets in",
        "X-Forwarded-Host",
    )
    keys_file: t.File | None = about(
        "pages and the controller; what bearers are signed with, and the guard's cookies encrypted: `openssl "
        "rand -base64 32` a line. The first signs, all of them (three at most) count: to change it, put the "
        "new one below, and some minutes later above. It is read again for each request",
        "/etc/previewbot/guard/keys",
        default=None,
    )
    lasts: Annotated[t.Duration, AfterValidator(_lasts)] = about(
        "how long a browser is let into one preview before it is asked anew, which takes no click while "
        "somebody is signed in; at most 24h",
        "4h",
        default=timedelta(hours=4),
    )


def guard_mistakes(
    guard: GuardSettings | None,
    *,
    signs_in: bool,
    scheme: str,
    domain: str,
    filters: Sequence[FilterSettings] = (),
) -> Iterator[InitErrorDetails]:
    """Yield what would have the guard let in nobody.

    `signs_in`: people can sign in; `scheme`, `domain` and `filters` are those of links.
    """
    if guard is None:
        return
    place = ("links", "gateway", "guard")
    if not signs_in:
        yield InitErrorDetails(type=mistake("guard_access", at=""), loc=place, input={})
    if guard.keys_file is None:
        wrong = mistake("guard_needs", at="keys_file", line=Raw("`keys_file: /etc/previewbot/guard/keys`"))
        yield InitErrorDetails(type=wrong, loc=place, input={})
    # Browsers take a cookie that is `Secure` over TLS, and from this machine
    # (https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy).
    is_here = domain == _THIS_MACHINE or domain.endswith(f".{_THIS_MACHINE}")
    if scheme != "https" and not is_here:
        wrong = mistake("guard_https", at="")
        yield InitErrorDetails(type=wrong, loc=("links", "gateway", "scheme"), input=scheme)
    yield from _filter_mistakes(guard, filters)


def _filter_mistakes(guard: GuardSettings, filters: Sequence[FilterSettings]) -> Iterator[InitErrorDetails]:
    """Yield which filters have the gateway ask the guard otherwise than it is told."""
    asks_by_extension = [place for place, each in enumerate(filters) if each.type == "ExtensionRef"]
    for place, each in enumerate(filters):
        where = ("links", "gateway", "filters", place)
        # Traefik runs filters in their order, and tells the guard of the request as it is by then.
        is_before = any(place < later for later in asks_by_extension)
        if each.type == "URLRewrite" and guard.host_in == "X-Forwarded-Host" and is_before:
            yield InitErrorDetails(type=mistake("guard_rewrite", at="urlRewrite"), loc=where, input={})
        if each.type == "ExternalAuth":
            # https://gateway-api.sigs.k8s.io/geps/gep-1494/: the host that is asked for stays in Host.
            if guard.host_in != "Host":
                wrong = mistake("guard_host_in", at="")
                yield InitErrorDetails(
                    type=wrong, loc=("links", "gateway", "guard", "host_in"), input=guard.host_in
                )
            if (each.external_auth or {}).get("protocol") == "GRPC":
                wrong = mistake("guard_grpc", at="externalAuth.protocol")
                yield InitErrorDetails(type=wrong, loc=where, input="GRPC")
