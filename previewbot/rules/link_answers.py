"""What the answer to a link says of it: whether the pull request's services answered, staging, or nobody.

mirrord's agent marks what it hands on: `Mirrord-Agent: forwarded-to-client` is an answer that a session gave,
`passed-through` one of the target's own (metalbear-co/mirrord, `mirrord/agent/src/steal/api.rs`), and the
operator adds `mirrord-key` with the session's key to what it redirects (its chart's
`injectSessionKeyHeader`). An ingress in between may take both away, so their absence says nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from previewbot.api import Proven, Reason, Why
from previewbot.rules.guard_refusals import ENTER, Refusal, why_refused

AGENT_HEADER = "Mirrord-Agent"
KEY_HEADER = "mirrord-key"
FROM_A_SESSION = "forwarded-to-client"
FROM_STAGING = "passed-through"

_FIRST, _MOST, _LATE = timedelta(seconds=1), timedelta(seconds=30), timedelta(minutes=3)
_REFUSALS = (302, 401, 403, 503)
_REDIRECTS = (301, 302, 303, 307, 308)
# How a page or a JSON may write `=`.
_EQUALS = r"(?:=|%3[dD]|\\u003[dD]|&#(?:61|[xX]3[dD]);|&equals;)"
_NAME_ENDS = r"(?![A-Za-z0-9-])"


@dataclass(frozen=True)
class Answer:
    """What came back of a request, with `status` 0 and `failure` where nothing did.

    `agents` and `keys` are the values of mirrord's headers; `leads_to` is the host that a redirect names,
    `leads_to_path` the path there, and it `comes_back` if that host is told the link's own, as a sign-in is;
    `body` is the beginning of it, only where it was asked for. `commits` are those that the answer names
    (`x-preview-sha`), which prove nothing: the Gateway names them. `from_guard`: it says that it is the
    guard's, `refusal` why it is one, and `proof` that it is the guard indeed.
    """

    status: int = 0
    agents: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    leads_to: str = ""
    leads_to_path: str = ""
    comes_back: bool = False
    body: str = ""
    failure: Why | None = None
    commits: tuple[str, ...] = ()
    from_guard: bool = False
    refusal: Refusal = Refusal.UNKNOWN
    proof: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the server says that it failed."""
        return self.status >= 500

    @property
    def is_marked(self) -> bool:
        """Whether mirrord had a hand in it."""
        return bool(self.agents or self.keys)


@dataclass(frozen=True)
class Asked:
    """What a link is asked for.

    `entry` is the service of this preview that the link lands on, empty where all that serve are `behind` it;
    `checks` has the paths at which these repeat the baggage they received; `pages` is the host of
    previewbot's own pages, `staging` that of staging's front end, where no header is set. `guarded`: the
    guard is to be before it.
    """

    key: str
    entry: str = ""
    behind: tuple[str, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    pages: str = ""
    staging: str = ""
    guarded: bool = False


@dataclass(frozen=True)
class Answers:
    """What came of it: the link's own answer, that of each check by service, and staging's without the
    header.

    `staging` is None where it was not asked, or its answer says nothing of staging. `early`: the Gateway may
    not follow the route yet, and answers that there is no such page. With `unguarded` the link's answer is
    what a stranger got, whom the guard did not refuse.
    """

    link: Answer
    checks: Mapping[str, Answer] = field(default_factory=dict)
    staging: Answer | None = None
    early: bool = False
    unguarded: bool = False


@dataclass(frozen=True)
class Verdict:
    """What is known of a link.

    `answered` is the status that came with it, 0 if it is not about one; `services` are those it is about;
    `unchecked` those of which it is not known that the header gets to them, `passed_on` those whose check
    repeated it.
    """

    proven: Proven
    why: Why
    answered: int = 0
    services: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    passed_on: tuple[str, ...] = ()


_SOMEBODY_ELSE = (Why.STAGING, Why.ANOTHER_SESSION, Why.NOT_PASSED_ON, Why.LEADS_TO_STAGING)


def reason_of(why: Why) -> Reason:
    """Return the reason of a link that is not shown because of this."""
    return Reason.LINK_SHOWS_STAGING if why in _SOMEBODY_ELSE else Reason.LINK_UNANSWERED


def verdict_of(asked: Asked, answers: Answers) -> Verdict:
    """Return what the answers say of a link.

    The weakest of what they say of its services: one that the header does not get to is staging's own, and a
    link that shows it beside the others would lie.
    """
    if asked.guarded and (answers.unguarded or answers.link.failure is not None):
        return _of_stranger(asked, answers)
    if asked.guarded and is_refusal(asked, answers.link):
        return Verdict(Proven.NO, why_refused(answers.link.refusal), answers.link.status)
    first = _of_front_end(asked, answers)
    found = [first] if first else []
    if asked.entry in asked.checks:
        # Staging's own front end receives the header too, so that a check there can only tell against it.
        own = _of_check(asked, answers, asked.entry)
        found += [own] if own.proven is Proven.NO else []
    found += [_of_check(asked, answers, service) for service in asked.behind]
    unchecked = tuple(s for v in found if v.proven is not Proven.YES for s in v.services if s in asked.behind)
    passed_on = tuple(s for v in found if v.why is Why.PASSED_ON for s in v.services)
    refused = next((verdict for verdict in found if verdict.proven is Proven.NO), None)
    unknown = next((verdict for verdict in found if verdict.proven is Proven.UNKNOWN), None)
    if not found:
        # Nothing of it takes requests, such as a worker: the link shows staging's front end, rightly.
        return Verdict(Proven.UNKNOWN, Why.BEHIND_THE_ENTRY)
    chosen = refused or unknown or found[0]
    same = [verdict for verdict in found if (verdict.proven, verdict.why) == (chosen.proven, chosen.why)]
    services = tuple(dict.fromkeys(service for verdict in same for service in verdict.services))
    return Verdict(chosen.proven, chosen.why, chosen.answered, services, unchecked, passed_on)


def is_refusal(asked: Asked, answer: Answer) -> bool:
    """Return whether the guard refused what this is the answer to.

    What mirrord had a hand in is not the guard's, whatever it says: the request got to a service.
    """
    if answer.is_marked:
        return False
    to_sign_in = (answer.status, answer.leads_to, answer.leads_to_path) == (302, asked.pages, ENTER)
    return to_sign_in or (answer.from_guard and answer.status in _REFUSALS)


def is_closed(answer: Answer) -> bool:
    """Return whether an answer lets in nobody, whoever gave it.

    Where Envoy does not get to the guard it says 403 without a word, or what the policy names
    (https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto,
    `status_on_error`), and others an error of their own.
    """
    return answer.is_error or answer.status in (401, 403, 407)


def wants_staging(asked: Asked, link: Answer) -> bool:
    """Return whether it takes staging's own answer to tell what that of a link means."""
    if link.is_error:
        return not (asked.entry and FROM_A_SESSION in link.agents)
    return link.status in (404, 410) and not link.is_marked


def repeats(body: str, key: str) -> bool:
    """Return whether a text repeats the baggage of this key, and not only the link's host, which has it
    too."""
    # The whole key: that of pull request 4 begins like that of pull request 42.
    return re.search(rf"mirrord-session{_EQUALS}{re.escape(key)}{_NAME_ENDS}", body) is not None


def pause(since: datetime, now: datetime, deadline: timedelta, seed: str) -> timedelta:
    """Return how long to wait before a link is asked again that has been no good `since` then.

    A second at first, ever longer up to half a minute, past the deadline some minutes, and after hours a
    quarter of what it has been so: whoever mends it need not tell anybody, and yet a session that mirrord
    puts to sleep is not kept awake by us, who alone ask it. Each link has times of its own (by `seed`), so
    that those which a gateway failed together do not come back together. One question falls on the deadline
    itself.
    """
    waited = now - since
    apart = 0.8 + 0.4 * zlib.crc32(seed.encode()) / 2**32
    if waited >= deadline:
        return max(_LATE, waited / 4) * apart
    return min(min(max(waited / 2, _FIRST), _MOST) * apart, deadline - waited)


def _of_stranger(asked: Asked, answers: Answers) -> Verdict:
    """What it means that a stranger was not refused: nobody is told of a link that everybody could open.

    Also where nobody knows who answered, as by a certificate of an unknown authority.
    """
    link = answers.link
    if link.failure is not None:
        return Verdict(Proven.NO, link.failure)
    if link.status in _REDIRECTS and asked.pages and link.leads_to == asked.pages:
        return Verdict(Proven.NO, Why.OWN_PAGE, link.status)
    if link.is_marked:
        return Verdict(Proven.NO, Why.UNGUARDED, link.status)
    # A gateway says so itself that does not follow the route yet.
    if answers.early and (link.is_error or link.status == 404):
        return Verdict(Proven.NO, Why.STATUS, link.status)
    return Verdict(Proven.NO, Why.GUARD_UNSEEN if is_closed(link) else Why.UNGUARDED, link.status)


def _of_front_end(asked: Asked, answers: Answers) -> Verdict | None:
    """What the link's own answer says; None if it says nothing against it."""
    link = answers.link
    away = link.status in _REDIRECTS and bool(asked.staging) and link.leads_to == asked.staging
    if away and not link.comes_back:
        # A front end that sends everybody to the one host that it knows, whoever gave this answer: there no
        # header is set.
        entry = (asked.entry,) if asked.entry else ()
        return Verdict(Proven.NO, Why.LEADS_TO_STAGING, link.status, entry)
    return _of_entry(asked, answers) if asked.entry else _of_front(asked, answers)


def _of_entry(asked: Asked, answers: Answers) -> Verdict:
    """What the link's own answer says where it lands on a service of this preview."""
    link, entry = answers.link, (asked.entry,)
    ours = asked.key in link.keys
    from_a_session = FROM_A_SESSION in link.agents
    if from_a_session and FROM_STAGING not in link.agents and (ours or not link.keys):
        # With an error too: then that is what the change does, and whoever opens the link is to see it.
        return Verdict(Proven.YES, Why.THIS_PREVIEW, link.status, entry)
    if FROM_STAGING in link.agents and not from_a_session:
        return Verdict(Proven.NO, Why.STAGING, link.status, entry)
    if link.keys and not ours:
        return Verdict(Proven.NO, Why.ANOTHER_SESSION, link.status, entry)
    if ours and not link.agents:
        return Verdict(Proven.YES, Why.THIS_PREVIEW, link.status, entry)
    if link.is_marked:
        # A front end that hands on headers of those behind it: what it says of itself cannot be told.
        return Verdict(Proven.UNKNOWN, Why.SEVERAL_MARKS, link.status, entry)
    return _of_front(asked, answers) or Verdict(Proven.UNKNOWN, Why.NO_MARK, link.status, entry)


def _of_front(asked: Asked, answers: Answers) -> Verdict | None:
    """What the link's own answer says whoever gave it; None if it says nothing against it.

    Of a change behind the entry mirrord's headers say nothing: another preview or a developer may hold the
    entry, and then the answer has their mark or, rightly, staging's.
    """
    link, entry = answers.link, (asked.entry,) if asked.entry else ()
    if link.failure is not None:
        known = Proven.UNKNOWN if link.failure is Why.UNKNOWN_AUTHORITY else Proven.NO
        return Verdict(known, link.failure, 0, entry)
    if link.status in _REDIRECTS and asked.pages and link.leads_to == asked.pages:
        return Verdict(Proven.NO, Why.OWN_PAGE, link.status, entry)
    if link.status in (401, 403, 407) or (link.status in _REDIRECTS and link.leads_to):
        return Verdict(Proven.UNKNOWN, Why.SIGN_IN, link.status, entry)
    if wants_staging(asked, link):
        return _of_error(answers, entry)
    return None


def _of_error(answers: Answers, entry: tuple[str, ...]) -> Verdict | None:
    """Tell an error of the link from one of staging's own."""
    link, staging = answers.link, answers.staging
    if not link.is_error:
        # A page that is not there: a gateway that knows no such host says the same. Only if staging has it,
        # something is wrong with the link; or if the Gateway may be the one that said it.
        if staging is not None and 0 < staging.status < 400:
            return Verdict(Proven.NO, Why.ONLY_THE_LINK, link.status, entry)
        return Verdict(Proven.NO, Why.STATUS, link.status, entry) if answers.early else None
    if staging is None or not (staging.is_error or 0 < staging.status < 404):
        # A gateway that has no such host answers 404 for it: then nothing is known of staging.
        return Verdict(Proven.NO, Why.STATUS, link.status, entry)
    why = Why.STAGING_TOO if staging.is_error else Why.ONLY_THE_LINK
    return Verdict(Proven.NO, why, link.status, entry)


def _of_check(asked: Asked, answers: Answers, service: str) -> Verdict:
    """What is known of whether the header gets to a service."""
    if service not in asked.checks:
        return Verdict(Proven.UNKNOWN, Why.BEHIND_THE_ENTRY, 0, (service,))
    answer = answers.checks.get(service)
    if answer is None or not 200 <= answer.status < 300:
        # Nobody knows what it received: it may have no such path yet, or stand behind a sign-in.
        return Verdict(Proven.UNKNOWN, Why.CHECK_REFUSED, answer.status if answer else 0, (service,))
    if repeats(answer.body, asked.key):
        return Verdict(Proven.YES, Why.PASSED_ON, answer.status, (service,))
    return Verdict(Proven.NO, Why.NOT_PASSED_ON, answer.status, (service,))
