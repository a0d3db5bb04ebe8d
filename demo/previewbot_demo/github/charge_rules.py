"""What GitHub documents that it charges, and whom it refuses: a row for each rule, with its source.

`tests/contract/test_github_charges.py` has a test for each, of what `charges` makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_REST = "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_GRAPHQL = "https://docs.github.com/en/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api"
_PRACTICES = "https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api"
_SECONDARY = f"{_REST}#about-secondary-rate-limits"


@dataclass(frozen=True)
class Rule:
    """A rule of GitHub's: what it is about, what is charged or refused, and the page that says so."""

    about: str
    charged: str
    source: str


RULES: Mapping[str, Rule] = {
    "unchanged": Rule(
        "a 304 to a request with authorization",
        "nothing of the hour",
        f"{_PRACTICES}#use-conditional-requests-if-appropriate",
    ),
    "request": Rule("any other REST request", "1 of the hour", f"{_REST}#about-primary-rate-limits"),
    "not found": Rule("a 404, like every refusal", "1 of the hour", f"{_REST}#about-primary-rate-limits"),
    "installation": Rule(
        "an installation's hour",
        "5,000 requests, 50 more for each repository and each user beyond 20, at most 12,500; 15,000 in "
        "Enterprise Cloud",
        f"{_REST}#primary-rate-limit-for-github-app-installations",
    ),
    "app": Rule(
        "a request as the App itself, the making of a token too",
        "1 of an hour of the App's own (GitHub documents no number for it; 5,000 is the least it gives)",
        f"{_REST}#about-primary-rate-limits",
    ),
    "nobody": Rule(
        "a request without authorization",
        "1 of 60 an hour",
        f"{_REST}#primary-rate-limit-for-unauthenticated-users",
    ),
    "points": Rule(
        "a question to GraphQL",
        "of an hour of its own: the requests that fill each connection, as if all pages were full, by 100, "
        "rounded, at least 1 point",
        f"{_GRAPHQL}#predicting-the-point-value-of-a-query",
    ),
    "points an hour": Rule(
        "an installation's hour of GraphQL",
        "5,000 points, 50 more for each repository and each user beyond 20, at most 12,500; 10,000 in "
        "Enterprise Cloud",
        f"{_GRAPHQL}#primary-rate-limit",
    ),
    "nodes": Rule(
        "a question that can show more than 500,000 nodes, or a page that is not of 1 to 100",
        "refused",
        f"{_GRAPHQL}#node-limit",
    ),
    "used up": Rule(
        "a request when the hour is used up",
        "403 (GraphQL: 200 with an error), `x-ratelimit-remaining: 0`, until `x-ratelimit-reset`",
        f"{_REST}#exceeding-the-rate-limit",
    ),
    "at once": Rule(
        "more than 100 requests at once, GraphQL's among them", "403 with `retry-after`", _SECONDARY
    ),
    "a minute": Rule(
        "more than 900 points of REST in a minute: 1 for GET, HEAD and OPTIONS, 5 for all that writes "
        "(taken together for all endpoints; a 304 counts)",
        "403 with `retry-after`",
        f"{_REST}#calculating-points-for-the-secondary-rate-limit",
    ),
    "a minute of GraphQL": Rule(
        "more than 2,000 points of GraphQL in a minute: 1 for a query, 5 for a mutation",
        "403 with `retry-after`",
        f"{_REST}#calculating-points-for-the-secondary-rate-limit",
    ),
    "content": Rule(
        "more than 80 requests that make content in a minute (edits and reactions among them)",
        "403 with `retry-after`",
        _SECONDARY,
    ),
    "content an hour": Rule(
        "more than 500 requests that make content in an hour", "403 with `retry-after`", _SECONDARY
    ),
    "headers": Rule(
        "every answer",
        "says in `x-ratelimit-*` of which budget it was, its limit, what is used and left, and until when",
        f"{_REST}#checking-the-status-of-your-rate-limit",
    ),
}
