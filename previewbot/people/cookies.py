"""How a browser is told to keep a cookie of ours, and to forget it; and how what it sends is read."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request


def keep(response: Response, name: str, value: str, time: timedelta) -> None:
    """Have the browser keep a cookie for a time: sent to this host alone, and out of reach of any script.

    `Lax` and not `Strict`: people come from the comment, which is GitHub's page, and would be strangers then.
    """
    response.set_cookie(
        name, value, max_age=time, path="/", secure=True, httponly=True, samesite="Lax", domain=None
    )


def forget(response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")


def sent(name: str) -> str:
    """Return the value of a cookie of ours as the request that is under way has it; empty if it has none."""
    header = request.environ.get("HTTP_COOKIE", "")
    return value_in(header, name) if isinstance(header, str) else ""


def value_in(header: str, name: str) -> str:
    """Return the value that stands in a header `Cookie` behind exactly this name; empty if it does not.

    As browsers write it (https://www.rfc-editor.org/rfc/rfc6265#section-5.4), and not as werkzeug reads it:
    quotation marks mean nothing here. Others may set cookies for the domain that a preview is in, and one
    that begins with such a mark would swallow ours up to the next. And it takes no longer than the header is
    long, whatever stands in it.
    """
    for part in header.split(";"):
        found, is_pair, value = part.strip(" \t").partition("=")
        if is_pair and found == name:
            return value
    return ""
