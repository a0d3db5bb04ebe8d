"""What a session that was tried says of the operator: a finding for each thing that previewbot relies on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from previewbot.doctor.check import Check, Whose, not_checked, note, ok, wrong
from previewbot.doctor.conformance.record import Asking, Record, Tally
from previewbot.engine.route_answers import Verdict
from previewbot.engine.routes import COMMIT_HEADER

_ROUTE = "the route"
_FIELDS = ("image", "key", "target", "incoming", "replicas", "ttlSecs")


def judged(record: Record) -> Sequence[Check]:
    """Return a finding for each thing that previewbot relies on."""
    return [
        *_phases(record),
        *_filter(record),
        *_route(record),
        *_marks(record),
        *_isolation(record),
        *_commit(record),
        *_teardown(record),
    ]


def _route(record: Record) -> Iterator[Check]:
    answer = record.route
    if answer is None:
        return
    if answer.verdict is Verdict.ACCEPTED:
        yield ok(_ROUTE, "the Gateway takes it")
    elif answer.verdict is Verdict.REFUSED:
        yield wrong(_ROUTE, f"the Gateway does not take it: {answer.message}", Whose.PLATFORM_TEAM)
    else:
        yield note(_ROUTE, "the Gateway says nothing of it, so only requests show whether it takes it")


def _phases(record: Record) -> Iterator[Check]:
    name = "the session's phases"
    told = ", ".join(f"{seen.phase or 'none'} after {seen.after_seconds:.1f} s" for seen in record.phases)
    if record.became_ready:
        yield ok(name, told)
    elif record.stopped:
        yield wrong(name, f"{record.stopped}{f' ({told})' if told else ''}", Whose.VENDOR)
    else:
        yield wrong(name, f"it was never Ready ({told or 'nothing was seen'})", Whose.VENDOR)


def _filter(record: Record) -> Iterator[Check]:
    name = "the stored spec"
    if not record.stored:
        yield not_checked(name, "because there was no session")
        return
    changed = [key for key in _FIELDS if record.sent.get(key) != record.stored.get(key)]
    if changed:
        yield wrong(name, f"{', '.join(changed)} came back otherwise than sent", Whose.VENDOR)
    else:
        yield ok(name, "filter, target and image are stored as they were sent")


def _marks(record: Record) -> Iterator[Check]:
    name = "Mirrord-Agent"
    if not record.became_ready:
        yield not_checked(name, "because the session was never Ready")
    elif any(tally.marked for tally in record.answers.values()):
        named = sum(tally.named_keys for tally in record.answers.values())
        yield ok(name, f"answers are marked, {named} of them with mirrord-key")
    else:
        words = (
            "no answer is marked: this workload does not answer at the entry, the agent's injectHeaders is "
            "off, or something on the way takes the header away. previewbot cannot see then whether a link "
            "works, and says so"
        )
        yield note(name, words, Whose.PLATFORM_TEAM)


def _isolation(record: Record) -> Iterator[Check]:
    yield _reaches(record)
    for asking in (Asking.WITHOUT, Asking.ANOTHER_KEY):
        yield _stays_out(record, asking)


def _reaches(record: Record) -> Check:
    name = f"requests {Asking.WITH_KEY}"
    told = _unknown(record, Asking.WITH_KEY, name)
    if told is not None:
        return told
    tally = record.answers[Asking.WITH_KEY]
    if tally.passed_through or tally.by_another or tally.unmarked or tally.unanswered:
        return wrong(name, f"not all of them were answered by the session: {_counts(tally)}", Whose.VENDOR)
    return ok(name, f"the session answered: {_counts(tally)}")


def _stays_out(record: Record, asking: Asking) -> Check:
    name = f"requests {asking}"
    told = _unknown(record, asking, name)
    if told is not None:
        return told
    tally = record.answers[asking]
    if tally.by_session:
        return wrong(name, f"the session answered requests of others: {_counts(tally)}", Whose.VENDOR)
    if tally.unanswered:
        return wrong(name, f"staging did not answer all of them: {_counts(tally)}", Whose.VENDOR)
    return ok(name, f"staging answered: {_counts(tally)}")


def _unknown(record: Record, asking: Asking, name: str) -> Check | None:
    """Return why nothing can be said of these requests; None if something can."""
    if not record.became_ready or asking not in record.answers:
        return not_checked(name, "because the session was never Ready")
    if asking is Asking.WITH_KEY and record.route is not None and record.route.verdict is Verdict.REFUSED:
        return not_checked(name, f"because of what is wrong with {_ROUTE}")
    tally = record.answers[asking]
    return None if tally.marked or tally.unanswered else not_checked(name, "because no answer is marked")


def _commit(record: Record) -> Iterator[Check]:
    name = COMMIT_HEADER
    tally = record.answers.get(Asking.WITH_KEY)
    if record.route is None:
        return
    if not record.commit:
        words = (
            "not asked for: neither the settings (links.gateway.commit_header) nor the Gateway's class have "
            "routes set it"
        )
        yield note(name, words, Whose.PLATFORM_TEAM)
    elif tally is None:
        yield not_checked(name, "because the session was never Ready")
    elif record.route.verdict is Verdict.REFUSED:
        yield not_checked(name, f"because of what is wrong with {_ROUTE}")
    else:
        yield _named(name, tally)


def _named(name: str, tally: Tally) -> Check:
    answers = sum(tally.statuses.values())
    if not answers:
        return not_checked(name, "because nothing answered")
    told = f"{tally.named_commit} of {answers} answers through the Gateway name the commit of their route"
    if tally.named_commit == answers:
        return ok(name, told)
    words = f"{told}: look what takes it away, or set links.gateway.commit_header: never"
    return wrong(name, words, Whose.PLATFORM_TEAM)


def _teardown(record: Record) -> Iterator[Check]:
    name = "the end"
    if record.left:
        yield wrong(name, f"not removed: {', '.join(record.left)}; remove it by hand", Whose.PLATFORM_TEAM)
    elif record.gone_after_seconds is None:
        yield not_checked(name, "because there was no session")
    else:
        pods = record.pods_gone_after_seconds
        told = "its pods were not looked at" if pods is None else f"its pods after {pods:.1f} s"
        yield ok(name, f"the session was gone after {record.gone_after_seconds:.1f} s, {told}")
    after = record.answers.get(Asking.AFTER)
    if after is not None and after.by_session:
        yield wrong(f"requests {Asking.AFTER}", f"a session answers: {_counts(after)}", Whose.VENDOR)


def _counts(tally: Tally) -> str:
    parts = {
        "from the session": tally.by_session,
        "from another session": tally.by_another,
        "passed through": tally.passed_through,
        "without a mark": tally.unmarked,
        "without an answer": tally.unanswered,
    }
    return ", ".join(f"{number} {words}" for words, number in parts.items() if number)
