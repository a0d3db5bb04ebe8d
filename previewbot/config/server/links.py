"""How links are made: the Gateway that they go through, and whether they are asked before they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from previewbot.config import types as t
from previewbot.config.server.guard import GuardSettings
from previewbot.config.server.routes import SIGN_IN, Annotations, Filters, Labels, SectionName
from previewbot.config.types import about

SETS_ANSWERS = "ResponseHeaderModifier"
"""The filter that sets headers of answers; a rule may have one
(https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter)."""


class GatewaySettings(t.Model):
    """The Gateway that links go through."""

    name: Annotated[t.Domain, about("the Gateway", "public")]
    namespace: Annotated[t.Label, about("where it is", "gateways")]
    domain: Annotated[t.Domain, about("the hosts of links are below it", "preview.example.com")]
    scheme: Literal["https", "http"] = about("how people open links", "https", default="https")
    port: t.Port | None = about("only if it is not the scheme's own", 8443, default=None)
    settle: t.Pause = about(
        "how long the gateway may take to follow a route after it says that it knows it; only then is a "
        "session that served removed",
        "3s",
        default=timedelta(seconds=3),
    )
    section_name: Annotated[SectionName | None, Field(alias="sectionName")] = about(
        "the listener that routes are attached to; left out: every one that takes them", "https", default=None
    )
    filters: Filters = about(
        "filters of the Gateway API that a request passes before it gets to a preview, such as a sign-in; "
        "put as they are before previewbot's own, in routes that lead to staging",
        SIGN_IN,
        default=(),
    )
    guard: GuardSettings | None = about(
        "who is let into previews: whoever may read their repository, and programs with a bearer. The "
        "gateway has to ask pages about each request (`filters`, or a policy of its own); left out: whoever "
        "reaches the Gateway opens every preview",
        {"host_in": "X-Forwarded-Host", "keys_file": "/etc/previewbot/guard/keys"},
        default=None,
    )
    commit_header: Literal["auto", "always", "never"] = about(
        "whether answers carry `x-preview-sha`, the commit that is announced to serve: `auto`, where the "
        "Gateway's class says that it can (`HTTPRouteResponseHeaderModification` in its "
        "`status.supportedFeatures`); `always`, for one that can and does not say so. Never where a filter "
        "above sets headers of answers: a rule may have one such",
        "auto",
        default="auto",
    )
    labels: Annotated[Labels, about("labels of each route", {"example.com/team": "shop"})] = Field(
        default_factory=dict
    )
    annotations: Annotated[
        Annotations,
        about(
            "annotations of each route, as another controller needs them",
            {"external-dns.alpha.kubernetes.io/ttl": "60"},
        ),
    ] = Field(default_factory=dict)

    def names_commit(self, *, supported: bool) -> bool:
        """Return whether routes are to have answers name their commit; `supported`: the class says it can."""
        if self.commit_header == "never" or any(each.type == SETS_ANSWERS for each in self.filters):
            return False
        return supported or self.commit_header == "always"


class LinkSettings(t.Model):
    """How a link is made."""

    gateway: GatewaySettings | None = about(
        "the Gateway that links go through; left out: share hosts, or the header", default=None
    )
    check: t.Truth = about(
        "whether the controller asks a link before it is announced: one GET of what people open, of which it "
        "reads the status and mirrord's headers. A link at which staging answers, or nothing, is not "
        "announced. `false` where the controller cannot get to where links lead",
        True,
        default=True,
    )
