"""Which of GitHub's APIs is spoken, and whether an address is the one that it looks like."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from previewbot.errors import RemoteError

API_VERSION = "2022-11-28"
"""2026-03-10 no longer has `merge_commit_sha`, which image tags may be made of
(https://docs.github.com/en/rest/about-the-rest-api/breaking-changes)."""


def check_path(what: str, url: str) -> None:
    """Raise RemoteError if a part of an address is empty, `.` or `..`: GitHub would be asked something else.

    Clients and servers take such parts out (https://datatracker.ietf.org/doc/html/rfc3986#section-5.2.4). A
    name in an address may be what somebody else chose.
    """
    parts = urlsplit(url).path.split("/")[1:]
    if {"", ".", ".."}.intersection(map(unquote, parts)):
        raise RemoteError(what, message="a name in this address leads elsewhere")
