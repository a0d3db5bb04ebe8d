"""What the platform team adds to the routes of links: filters before previewbot's own, labels, annotations.

A filter is the Gateway API's, in its spelling (https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter),
and is passed on as it is written. Only what would take a preview from its reviewers, or reviewers from their
preview, is refused here; whether the rest is right, the API server says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict
from pydantic_core import InitErrorDetails

from previewbot.api import GROUP
from previewbot.config import types as t
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw

MOST_FILTERS = 15
"""A rule has at most 16 (`maxItems` of the HTTPRoute's CRD), and one is previewbot's."""

MOST_ANNOTATIONS = 256 * 1024 - 4096
"""Bytes of keys and values: what Kubernetes takes (`TotalAnnotationSizeLimitB`), with room left for ours."""

_DNS_NAME = rf"{t.LABEL}(\.{t.LABEL})*"
"""The prefix of a key and the name of a listener; and a `PreciseHostname`, as the CRD has it: the only hosts
that a route can redirect to."""

_LABEL_NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_KEY = rf"({_DNS_NAME}/)?{_LABEL_NAME}"
_OURS = re.compile(rf"([a-z0-9.-]+\.)?({re.escape(GROUP)}|metalbear\.co)/")
"""What selects previewbot's objects or mirrord's must not be for the asking."""

_REFUSED = {
    "RequestHeaderModifier": "a rule may have one, and that is the one that sets `baggage`",
    "RequestMirror": "what reviewers send would go somewhere else too",
    "RequestRedirect": "nobody would get to the preview",
}


def _type(value: object) -> object:
    if isinstance(value, str) and value in _REFUSED:
        raise mistake("filter_refused", type=value, reason=Raw(_REFUSED[value]))
    return value


def _written(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not value:
        raise mistake("filter_empty")
    return _plain(value)  # type: ignore[no-any-return]


def _plain(value: object) -> Any:
    """Return a part of a filter with plain values; raises for one that JSON or the Gateway API has not."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    # A date, a fraction or a value that is missing: YAML reads more than a route can hold.
    if isinstance(value, bool | int) or (isinstance(value, str) and value.isprintable()):
        return value
    raise mistake("filter_value")


def _key(value: str) -> str:
    prefix, _, _ = value.rpartition("/")
    if len(prefix) > 253:
        raise mistake("label_key")
    if _OURS.match(value):
        raise mistake("label_ours")
    return value


def _annotations(value: Mapping[str, str]) -> Mapping[str, str]:
    if sum(len(f"{key}{text}".encode()) for key, text in value.items()) > MOST_ANNOTATIONS:
        raise mistake("annotations")
    return value


def host_mistakes(public_url: str) -> Iterator[InitErrorDetails]:
    """Yield what keeps routes from redirecting to the page of a preview that nothing serves.

    An address of IPv6 can stand in no route, nor a name that is no DNS name in small ASCII letters. One of
    IPv4 looks like such a name to the API server.
    """
    host = urlsplit(public_url).hostname or ""
    if len(host) > 253 or not re.fullmatch(_DNS_NAME, host):
        wrong = mistake("page_host", at="", host=host)
        yield InitErrorDetails(type=wrong, loc=("public_url",), input=public_url)


Written = Annotated[
    Mapping[str, Any], AfterValidator(_written), WithJsonSchema({"type": "object", "minProperties": 1})
]
Key = Annotated[
    str,
    Field(strict=True, max_length=317, pattern=f"^{_KEY}$"),
    t.Called("label_key"),
    AfterValidator(_key),
    about("keys as Kubernetes has them", "example.com/team"),
]
LabelValue = Annotated[
    str, Field(strict=True, max_length=63, pattern=f"^({_LABEL_NAME})?$"), t.Called("label_value")
]
Labels = Mapping[Key, LabelValue]
Annotations = Annotated[Mapping[Key, t.Text], AfterValidator(_annotations)]
SectionName = Annotated[
    str,
    Field(strict=True, max_length=253, pattern=f"^{_DNS_NAME}$"),
    t.Called("listener"),
]


_EXAMPLE: JsonDict = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "sign-in"},
}


# The example is of a whole filter: each key's, one below the other, would be none.
class FilterSettings(t.Model, json_schema_extra={"examples": [_EXAMPLE]}):
    """A filter of the Gateway API: its type, and the field of that name with what the type needs."""

    type: Annotated[
        Literal["ExtensionRef", "ExternalAuth", "ResponseHeaderModifier", "URLRewrite", "CORS"],
        BeforeValidator(_type),
        about("what kind of filter it is", "ExtensionRef"),
    ]
    extension_ref: Annotated[Written | None, Field(alias="extensionRef")] = about(
        "of an ExtensionRef: a filter of the gateway's own, in the namespace of the routes",
        _EXAMPLE["extensionRef"],
        default=None,
    )
    external_auth: Annotated[Written | None, Field(alias="externalAuth")] = about(
        "of an ExternalAuth (the Gateway API's experimental channel): who is asked about each request",
        {"protocol": "HTTP", "backendRef": {"name": "sign-in", "port": 4180}},
        default=None,
    )
    response_header_modifier: Annotated[Written | None, Field(alias="responseHeaderModifier")] = about(
        "of a ResponseHeaderModifier", {"set": [{"name": "x-robots-tag", "value": "noindex"}]}, default=None
    )
    url_rewrite: Annotated[Written | None, Field(alias="urlRewrite")] = about(
        "of a URLRewrite: the host that staging expects, or a prefix of its paths",
        {"hostname": "staging.example.com"},
        default=None,
    )
    cors: Written | None = about("of a CORS", {"allowOrigins": ["https://example.com"]}, default=None)

    @property
    def verbatim(self) -> dict[str, Any]:
        """The filter as it was written."""
        return self.model_dump(by_alias=True, exclude_none=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        needed = _FIELDS[self.type]
        others = [key for key in self.verbatim if key not in ("type", needed)]
        if others:
            raise mistake("filter_other", at=others[0], needed=needed)
        if needed not in self.verbatim:
            raise mistake("filter_field", at=needed, type=self.type)
        path = (self.url_rewrite or {}).get("path")
        if isinstance(path, Mapping) and path.get("type") == "ReplaceFullPath":
            raise mistake("filter_path", at="urlRewrite")
        return self


_FIELDS = {
    "ExtensionRef": "extensionRef",
    "ExternalAuth": "externalAuth",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "URLRewrite": "urlRewrite",
    "CORS": "cors",
}
_ONCE = ("CORS", "ResponseHeaderModifier", "URLRewrite")


def _filters(value: tuple[FilterSettings, ...]) -> tuple[FilterSettings, ...]:
    if len(value) > MOST_FILTERS:
        raise mistake("filters_many", most=MOST_FILTERS)
    for type_ in _ONCE:
        if sum(one.type == type_ for one in value) > 1:
            raise mistake("filter_twice", type=type_)
    return value


Filters = Annotated[tuple[FilterSettings, ...], AfterValidator(_filters)]
SIGN_IN = [_EXAMPLE]
"""An example of `Filters`, for whoever writes the file."""
