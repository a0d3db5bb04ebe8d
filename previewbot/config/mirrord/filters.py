"""A team's own filter of requests: it may narrow which of its own a preview takes, never widen them.

mirrord's CLI sends whatever is written. A session of previewbot's takes requests with its own key alone, so a
filter of the team becomes conditions that stand behind the key's own (mirrord's `all_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from previewbot.config import types as t
from previewbot.config.keys import KEY, header_pattern
from previewbot.config.mirrord.json_path import is_json_path
from previewbot.config.mirrord.values import SmallNumber, Text, checked_jq, checked_pattern, switched
from previewbot.config.types import mistake, within

_LONGEST = 1_000
_KINDS = ("path_filter", "header_filter", "all_of", "any_of", "body_filter")
"""The kinds of which mirrord's CLI takes one."""
_OWN = header_pattern("baggage", KEY)
_OWN_CONDITIONS = ({"header": _OWN}, {"header": _OWN.removesuffix("$")})
"""The key's own pattern, as mirrord's CLI writes it and as mirrord's documentation does."""
BY_TRACESTATE = tuple({"header": header_pattern(name, KEY)} for name in ("baggage", "tracestate"))
"""The only `any_of` there may be."""
# What a browser sends with whatever it asks for, and the one that the link adds.
_OF_EVERY_LINK = frozenset(("accept", "accept-encoding", "accept-language", "baggage", "host", "user-agent"))
_HEADER = re.compile(r"\^?\(?([A-Za-z0-9-]+)\b")


def _filled(value: str) -> str:
    if not value:
        raise mistake("filter_text_empty")
    if len(value) > _LONGEST:
        raise mistake("filter_long", most=_LONGEST)
    return value


def _path(value: str) -> str:
    if not is_json_path(value):
        raise mistake("json_path", written=value)
    return value


Filled = Annotated[Text, AfterValidator(_filled)]
Expression = Annotated[Filled, AfterValidator(checked_pattern)]
Program = Annotated[Filled, AfterValidator(checked_jq)]
JsonPath = Annotated[Filled, AfterValidator(_path)]


class BodyFilter(t.Model):
    """`body_filter`: a value in a body of JSON, and what it matches."""

    body: Literal["json"]
    query: JsonPath
    matches: Expression


class InnerFilter(t.Model):
    """One of the conditions of `all_of` or `any_of`."""

    header: Expression | None = None
    path: Expression | None = None
    method: Filled | None = None
    body: Literal["json"] | None = None
    query: Filled | None = None
    matches: Expression | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> InnerFilter:
        said = frozenset(self.said)
        if said not in ({"header"}, {"path"}, {"method"}, {"query"}, {"body", "query", "matches"}):
            raise mistake("inner_filter")
        if self.query is not None:
            self._check_query(self.query)
        return self

    def _check_query(self, query: str) -> None:
        # Of a body it is a JSONPath; by itself a jq program over the headers.
        try:
            (checked_jq if self.body is None else _path)(query)
        except PydanticCustomError as error:
            raise within(error, "query") from None

    @property
    def said(self) -> Mapping[str, str]:
        """What it says, in mirrord's own order."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in values if value is not None}


def _some(value: tuple[InnerFilter, ...]) -> tuple[InnerFilter, ...]:
    if not value:
        raise mistake("filters_none")
    return value


InnerFilters = Annotated[tuple[InnerFilter, ...], AfterValidator(_some)]


def _ports(value: object) -> object:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


class HttpFilter(t.Model):
    """`http_filter`: which requests, by one of mirrord's kinds of filters."""

    header_filter: Expression | None = None
    path_filter: Expression | None = None
    method_filter: Filled | None = None
    body_filter: BodyFilter | None = None
    header_filter_jq: Program | None = None
    all_of: InnerFilters | None = None
    any_of: InnerFilters | None = None
    ports: Annotated[tuple[SmallNumber, ...], t.Called("list_of_ports")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, Mapping) and "ports" in value:
            return {**value, "ports": _ports(value["ports"])}
        return value

    @model_validator(mode="after")
    def _narrows(self) -> HttpFilter:
        kinds = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(kinds) > 1:
            raise mistake("filter_kinds", at=kinds[1], other=kinds[0])
        if self.any_of is not None:
            others = self.method_filter is not None or self.header_filter_jq is not None
            if others or tuple(each.said for each in self.any_of) != BY_TRACESTATE:
                raise mistake("filter_any", at="any_of", **_pair())
        return self

    def narrowed(self) -> Narrowed:
        """Return what is added to the key's own filter."""
        if self.any_of is not None:
            return Narrowed(by_tracestate=True)
        conditions = tuple(each for each in self._conditions() if each not in _OWN_CONDITIONS)
        return Narrowed(conditions=conditions)

    def _conditions(self) -> Iterator[Mapping[str, str]]:
        if self.header_filter is not None:
            yield {"header": self.header_filter}
        if self.path_filter is not None:
            yield {"path": self.path_filter}
        if self.method_filter is not None:
            yield {"method": self.method_filter}
        if self.body_filter is not None:
            yield self.body_filter.model_dump()
        if self.header_filter_jq is not None:
            yield {"query": self.header_filter_jq}
        for each in self.all_of or ():
            yield each.said


def _pair() -> dict[str, Any]:
    return {
        f"pair_{number}": each["header"].replace(KEY, "{{ key }}")
        for number, each in enumerate(BY_TRACESTATE)
    }


@dataclass(frozen=True)
class Narrowed:
    """What a team's filter adds to the key's own: conditions of mirrord's `all_of`, or the second header."""

    conditions: tuple[Mapping[str, str], ...] = ()
    by_tracestate: bool = False


def headers_needed(conditions: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names of the headers, beside those of every link, that a request must have for these."""
    patterns = (_HEADER.match(each["header"]) for each in conditions if "header" in each)
    names = (found[1].lower() for found in patterns if found)
    return [name for name in dict.fromkeys(names) if name not in _OF_EVERY_LINK]


HttpFilterSwitch = Annotated[HttpFilter, switched({})]
"""`true` and `false` say nothing of which requests."""
