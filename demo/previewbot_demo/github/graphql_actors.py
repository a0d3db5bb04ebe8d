"""Accounts as GraphQL shows them."""

from __future__ import annotations

from previewbot_demo.github.model import Account
from previewbot_demo.github.shapes import Json, node_id


def actor(account: Account | None) -> Json | None:
    """Return an account as an `Actor`; None for one that is deleted."""
    if account is None:
        return None
    kind = "Bot" if account.type == "Bot" else "User"
    # GraphQL shows a bot's login without what REST puts behind it.
    login = account.login.removesuffix("[bot]")
    return {
        "__typename": kind,
        "id": node_id(kind, account.id),
        "databaseId": account.id,
        "login": login,
    }
