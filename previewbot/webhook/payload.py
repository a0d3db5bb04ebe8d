"""A webhook's payload as JSON: each read of it either finds what GitHub documents, or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from previewbot.api.names import is_full_name
from previewbot.rules import commands

# What a Preview's spec can hold (int64).
_LARGEST_NUMBER = 2**63 - 1

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""An account of a person: letters, digits and `-`, and `_` in an enterprise's managed users."""


class Malformed(ValueError):
    """The payload is not of the shape GitHub documents; the text says what is wrong with it."""


@dataclass(frozen=True)
class Payload:
    """A JSON object of a payload, and the keys that lead to it; every read raises `Malformed`."""

    values: Mapping[str, Any]
    path: str = ""

    def child(self, key: str) -> Payload:
        """Return the object under a key."""
        return self._as_object(self._value(key), self._under(key))

    def children(self, key: str) -> Iterator[Payload]:
        """Yield the objects in a list; GitHub documents that null may stand for it and in it."""
        items = self._value(key)
        if not isinstance(items, list | None):
            raise Malformed(f"`{self._under(key)}` is not a list")
        for index, item in enumerate(items or ()):
            if item is not None:
                yield self._as_object(item, f"{self._under(key)}[{index}]")

    def pull_requests(self, repository_id: int) -> tuple[int, ...]:
        """Return the pull requests of this repository that a check, or a suite or a run of them, is about.

        A workflow in a fork names the pull request of the repository that the fork is of: a number of another
        repository, and no matter of this one. Of a fork's own commits GitHub names none.
        """
        named = (each for each in self.children("pull_requests") if _base_of(each) in (None, repository_id))
        return tuple(pull_request.number("number") for pull_request in named)

    def number(self, key: str) -> int:
        """Return an id or a number, which a Preview can hold."""
        value = self._value(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST_NUMBER:
            raise Malformed(f"`{self._under(key)}` is no number of GitHub's")
        return value

    def text(self, key: str) -> str:
        """Return a text."""
        value = self._value(key)
        if not isinstance(value, str):
            raise Malformed(f"`{self._under(key)}` is not a text")
        return value

    def full_name(self, key: str) -> str:
        """Return the name of a repository with its owner's."""
        name = self.text(key)
        if not is_full_name(name):
            raise Malformed(f"`{self._under(key)}` is not owner/name")
        return name

    def login(self, key: str) -> str:
        """Return the login of a person's account."""
        login = self.text(key)
        if not _LOGIN.fullmatch(login):
            raise Malformed(f"`{self._under(key)}` is no login of a person")
        return login

    def moment(self, key: str) -> datetime:
        """Return a time with its zone."""
        text = self.text(key)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise Malformed(f"`{self._under(key)}` is not a time with its zone")
        return moment

    def is_of(self, key: str, app_id: int) -> bool:
        """Return whether the App under `key` is the one with this id; GitHub documents null for both."""
        app = self.values.get(key)
        return isinstance(app, Mapping) and app.get("id") == app_id

    def account(self) -> int:
        """Return the number of the account under `user`; 0 for a deleted one, which GitHub shows as null."""
        user = self.values.get("user")
        return self._as_object(user, self._under("user")).number("id") if user is not None else 0

    def is_by_bot(self) -> bool:
        """Return whether a bot's account stands under `user`."""
        user = self.values.get("user")
        return isinstance(user, Mapping) and user.get("type") == "Bot"

    def is_by_person(self) -> bool:
        """Return whether a person's account stands under `user`."""
        user = self.values.get("user")
        return isinstance(user, Mapping) and user.get("type") == "User"

    def sender(self) -> int:
        """Return the number of the account under `sender`, 0 where there is none."""
        sender = self.values.get("sender")
        return self._as_object(sender, self._under("sender")).number("id") if sender is not None else 0

    def has_command(self) -> bool:
        """Return whether `body`, which may be null, holds a command."""
        return self._value("body") is not None and bool(commands.parse(self.text("body")))

    def bot(self) -> int:
        """Return the number of the account under `sender` if that is a bot's, else 0."""
        sender = self.values.get("sender")
        is_bot = isinstance(sender, Mapping) and sender.get("type") == "Bot"
        return self.child("sender").number("id") if is_bot else 0

    def _value(self, key: str) -> Any:
        if key not in self.values:
            raise Malformed(f"`{self._under(key)}` is missing")
        return self.values[key]

    def _as_object(self, value: object, path: str) -> Payload:
        if not isinstance(value, Mapping):
            raise Malformed(f"`{path}` is not an object")
        return Payload(value, path)

    def _under(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def _base_of(pull_request: Payload) -> int | None:
    """Return the number of the repository that a pull request is of; None where it is not said."""
    base = pull_request.values.get("base")
    repository = base.get("repo") if isinstance(base, Mapping) else None
    found = repository.get("id") if isinstance(repository, Mapping) else None
    return found if isinstance(found, int) else None
