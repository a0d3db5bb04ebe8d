"""How a browser is told to keep a cookie of ours, and to forget it."""

from __future__ import annotations

from datetime import timedelta

from flask import Response


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
