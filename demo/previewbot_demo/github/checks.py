"""Check runs of the App itself: written through the API, and their buttons, which people press.

https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from previewbot_demo.github.answers import Answer, Call, invalid, not_found
from previewbot_demo.github.conversations import Conversations
from previewbot_demo.github.model import Run, State
from previewbot_demo.github.model_checks import Button, Remark, Report

_STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
_CONCLUSIONS = (
    *("action_required", "cancelled", "failure", "neutral"),
    *("success", "skipped", "timed_out"),
)
_LEVELS = ("notice", "warning", "failure")
_LONGEST, _LONGEST_TITLE = 65_535, 255
"""Bytes of a summary or a text, whatever GitHub's description says; characters of a title."""
_MOST_BUTTONS, _MOST_REMARKS = 3, 50
_BUTTON = {"label": 20, "description": 40, "identifier": 20}


class CheckEndpoints:
    """Answers the calls that write check runs."""

    def __init__(self, github: Conversations) -> None:
        self._github = github

    def create(self, call: Call) -> Answer:
        """`POST /repos/{owner}/{repo}/check-runs`: the newest of a name is what counts."""
        name, sha = _text(call.body, "name"), _text(call.body, "head_sha")
        state, home = self._github.store.state, call.repo
        if sha not in state.commits:
            raise invalid(f"No commit found for SHA: {sha}")
        now = self._github.store.now()
        app = self._github.app.slug
        suite = next((r.check_suite for r in state.checks.values() if _is_beside(r, home.id, sha, app)), 0)
        new = Run(self._github.store.next_id(), home.id, sha, name, "queued", None, now, now, suite, app=app)
        run = self._github.put_check(_written(new, call.body), began=True)
        return Answer(self._shape(run), status=HTTPStatus.CREATED)

    def update(self, call: Call) -> Answer:
        """`PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`: of the App's own runs alone."""
        old = self._github.store.state.checks.get(int(call.args["check_run_id"]))
        if old is None or old.repository_id != call.repo.id or old.app != self._github.app.slug:
            raise not_found()
        now = self._github.store.now()
        run = self._github.put_check(replace(_written(old, call.body), updated_at=now), began=False)
        return Answer(self._shape(run))

    def _shape(self, run: Run) -> Any:
        return self._github.shapes.check_run(self._github.store.state, run)


def latest(runs: Sequence[Run], query: Mapping[str, str], ids: Mapping[str, int]) -> list[Run]:
    """Return the runs that a query asks for: `check_name`, `app_id`, and of each name the last unless
    `filter=all`; `ids` has the numbers of the Apps by their slugs."""
    name, app = query.get("check_name"), query.get("app_id")
    found = [r for r in runs if name in (None, r.name) and app in (None, str(ids.get(r.app, 0)))]
    if query.get("filter") == "all":
        return found
    last = {(run.check_suite, run.name): run.id for run in sorted(found, key=lambda run: run.id)}
    return [run for run in found if run.id in last.values()]


def shown_on(state: State, repository_id: int, sha: str) -> list[Run]:
    """Return the check runs that a pull request's page shows of its head."""
    runs = [r for r in state.checks.values() if (r.repository_id, r.sha) == (repository_id, sha)]
    return latest(runs, {}, {})


def _is_beside(run: Run, repository_id: int, sha: str, app: str) -> bool:
    return (run.repository_id, run.sha, run.app) == (repository_id, sha, app)


def _written(run: Run, body: Mapping[str, Any]) -> Run:
    """Return a run as a request leaves it; raises the 422 for what GitHub does not take."""
    conclusion = body.get("conclusion")
    # "Providing `conclusion` will automatically set the `status` parameter to `completed`."
    status = "completed" if conclusion is not None else body.get("status", run.status)
    if status not in _STATUSES:
        raise _bad("status")
    if status == "completed" and conclusion not in _CONCLUSIONS:
        raise _bad("conclusion")
    report = run.report or Report()
    if "external_id" in body:
        report = replace(report, external_id=_text(body, "external_id"))
    if "details_url" in body:
        report = replace(report, details_url=_text(body, "details_url"))
    if "output" in body:
        report = _with_output(report, body["output"])
    if "actions" in body:
        report = replace(report, buttons=_buttons(body["actions"]))
    return replace(run, status=status, conclusion=conclusion, report=report)


def _with_output(report: Report, output: Any) -> Report:
    if not isinstance(output, Mapping):
        raise _bad("output")
    title, summary = _text(output, "title"), _text(output, "summary")
    text = _text(output, "text", may_be_empty=True) if "text" in output else report.text
    if len(title) > _LONGEST_TITLE or max(len(summary.encode()), len((text or "").encode())) > _LONGEST:
        raise _bad("output")
    # Each update adds its annotations to those that are there.
    remarks = report.remarks + _remarks(output.get("annotations", []))
    return replace(report, title=title, summary=summary, text=text, remarks=remarks)


def _remarks(listed: Any) -> tuple[Remark, ...]:
    if not isinstance(listed, list) or len(listed) > _MOST_REMARKS:
        raise _bad("annotations")
    found = tuple(
        Remark(
            path=_text(each, "path"),
            start_line=each.get("start_line"),
            end_line=each.get("end_line"),
            level=_text(each, "annotation_level"),
            message=_text(each, "message"),
        )
        for each in listed
    )
    for each in found:
        lines = (each.start_line, each.end_line)
        if each.level not in _LEVELS or not all(isinstance(n, int) and n > 0 for n in lines):
            raise _bad("annotations")
    return found


def _buttons(listed: Any) -> tuple[Button, ...]:
    if not isinstance(listed, list) or len(listed) > _MOST_BUTTONS:
        raise _bad("actions")
    found = tuple(Button(**{name: _text(each, name) for name in _BUTTON}) for each in listed)
    if any(len(getattr(each, name)) > most for each in found for name, most in _BUTTON.items()):
        raise _bad("actions")
    return found


def _text(body: Mapping[str, Any], name: str, *, may_be_empty: bool = False) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise _bad(name)
    return value


def _bad(field: str) -> Exception:
    return invalid("Validation Failed", {"resource": "CheckRun", "code": "invalid", "field": field})
