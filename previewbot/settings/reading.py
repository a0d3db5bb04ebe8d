"""Reading a nested mapping strictly: every key is asked for once, and what nobody asked for is a mistake."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

from previewbot.timing import parse_duration

T = TypeVar("T")

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Override(str):
    """A text that an environment variable put in a key's place; remembers which one."""

    __slots__ = ("variable",)

    variable: str

    def __new__(cls, text: str, variable: str) -> Override:
        """Return `text` as read from `variable`."""
        made = super().__new__(cls, text)
        made.variable = variable
        return made


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a half sentence that suggests what `word` was meant to be, or says what there is."""
    choices = list(known)
    near = difflib.get_close_matches(word.lower().replace("-", "_"), choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known here: {', '.join(choices)}"


class Section:
    """One mapping of the settings; mistakes are collected in `problems`, shared by all sections."""

    def __init__(self, path: str, value: object, problems: list[str]) -> None:
        self._path = path
        self._problems = problems
        self._known: list[str] = []
        self._values: dict[str, object] = {}
        if isinstance(value, Mapping):
            self._values = {str(key): item for key, item in value.items()}
        elif value is not None:
            problems.append(f"{_where(path, value)} must be a mapping of keys, not {_shown(value)}")

    def has(self, key: str) -> bool:
        """Return whether there is anything under `key`."""
        return self._values.get(key) is not None

    def names(self) -> list[str]:
        """Return the keys that were given, for a mapping whose keys are names of things."""
        self._known = list(self._values)
        return list(self._values)

    def section(self, key: str) -> Section:
        """Return the mapping under `key`; an absent one is empty, so that each missing key is named."""
        self._known.append(key)
        return Section(self._under(key), self._values.get(key), self._problems)

    def required(self, key: str, convert: Callable[[object], T], example: str) -> T:
        """Return the value of `key`; notes a problem, with the example, if there is none."""
        if self.has(key):
            return cast(T, self._take(key, convert))
        self._known.append(key)
        self._problems.append(f"{self._under(key)} is missing; write for example {key}: {example}")
        # Nobody sees this: whoever parses raises all problems before it hands out any value.
        return cast(T, None)

    def optional(self, key: str, convert: Callable[[object], T], default: T) -> T:
        """Return the value of `key`, or the default if it is left out."""
        if self.has(key):
            return cast(T, self._take(key, convert))
        self._known.append(key)
        return default

    def forbid(self, key: str, instead: str) -> None:
        """Note a problem if `key` is there, which people may take for one of ours."""
        if self._values.pop(key, None) is not None:
            self._problems.append(f"{self._under(key)} does not belong here; {instead}")

    def note(self, key: str, problem: str) -> None:
        """Note a problem with `key` that only its reader can see."""
        self._problems.append(f"{self._under(key)} {problem}")

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key, value in self._values.items():
            if key not in self._known:
                where = _where(self._under(key), value)
                self._problems.append(f"{where} is not a setting; {did_you_mean(key, self._known)}")

    def _take(self, key: str, convert: Callable[[object], T]) -> T | None:
        self._known.append(key)
        value = self._values[key]
        try:
            return convert(value)
        except ValueError as error:
            self._problems.append(f"{_where(self._under(key), value)} {error}, not {_shown(value)}")
            return None

    def _under(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def text(value: object) -> str:
    """Convert a text that is not empty; all converters raise ValueError with what is expected."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("must be a text")
    return str(value)


def whole_number(value: object) -> int:
    """Convert a whole number from 1."""
    if isinstance(value, Override) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("must be a whole number from 1")
    return value


def port(value: object) -> int:
    """Convert a port."""
    number = whole_number(value)
    if number > 65_535:
        raise ValueError("must be a port from 1 to 65535")
    return number


def truth(value: object) -> bool:
    """Convert true or false."""
    if isinstance(value, Override) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def file(value: object) -> Path:
    """Convert the path of a file."""
    return Path(text(value))


def duration(value: object) -> timedelta:
    """Convert a duration such as 8h or 2h30m."""
    try:
        return parse_duration(text(value))
    except ValueError:
        raise ValueError("must be a duration, like 8h, 2h30m, 90s or 3d") from None


def pause(value: object) -> timedelta:
    """Convert a duration, of which 0s is one here."""
    return timedelta(0) if text(value) == "0s" else duration(value)


def url(value: object) -> str:
    """Convert an http(s) URL without credentials, query and fragment; a slash at the end is dropped."""
    expected = "must be an http:// or https:// URL without credentials, query or fragment"
    written = text(value)
    try:
        parts = urlsplit(written)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if not usable or re.search(r"[@?#\s\\]", written):
        raise ValueError(expected)
    return written.rstrip("/")


def label(value: object) -> str:
    """Convert a DNS label, as Kubernetes wants for the names of namespaces."""
    written = text(value)
    if not _LABEL.fullmatch(written):
        raise ValueError("must be a name of small letters, digits and -")
    return written


def domain(value: object) -> str:
    """Convert a domain name; capital letters are made small."""
    written = text(value).lower()
    if len(written) > 200 or not all(_LABEL.fullmatch(part) for part in written.split(".")):
        raise ValueError("must be a domain, like preview.example.com")
    return written


def one_of(*choices: str) -> Callable[[object], str]:
    """Return a converter that takes one of the words."""

    def convert(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return str(value)

    return convert


def list_of(convert: Callable[[object], T], *, least: int = 0) -> Callable[[object], tuple[T, ...]]:
    """Return a converter for a list with at least `least` entries; from the environment it comes as JSON."""

    def convert_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("must be a list" + (" in JSON" if isinstance(value, Override) else ""))
        if len(value) < least:
            raise ValueError("must name at least one")
        return tuple(convert(item) for item in value)

    return convert_all


def _where(path: str, value: object) -> str:
    variable = _variable(value)
    return f"{path or 'the file'} (from {variable})" if variable else path or "the file"


def _variable(value: object) -> str:
    if isinstance(value, Mapping):
        return next((found for item in value.values() if (found := _variable(item))), "")
    return value.variable if isinstance(value, Override) else ""


def _shown(value: object) -> str:
    written = json.dumps(value, default=str, ensure_ascii=False)
    return written if len(written) <= 80 else written[:77] + "…"
