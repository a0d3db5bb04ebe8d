"""The operations page's query over audit logs as there are: rotated, of all kinds, of other makers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jq
import pytest

from tests.support import audit

CONTROLLER = "system:serviceaccount:previewbot:previewbot-controller"
SINCE = "2026-11-20T00:00:00Z"


def an_event(**changes: Any) -> dict[str, Any]:
    """Return what the API server writes of a session that the controller made."""
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "stage": "ResponseComplete",
        "verb": "create",
        "user": {"username": CONTROLLER},
        "objectRef": {"resource": "previewsessions", "namespace": "staging"},
        "responseStatus": {"code": 201},
        "requestReceivedTimestamp": "2026-11-24T09:12:31.204518Z",
        "requestObject": {
            "metadata": {"annotations": {"previewbot.dev/agent": "Copilot"}},
            "spec": {"image": "i", "key": "k", "target": {"kind": "Deployment", "name": "checkout"}},
        },
    } | changes


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"user": None, "objectRef": None, "verb": "create"},
        {"protoPayload": {"methodName": "io.k8s.create"}, "resource": {"type": "k8s_cluster"}},
        an_event(requestObject=None),
        an_event(requestObject={"metadata": {}}),
        an_event(responseStatus=None),
        an_event(user={"username": "alice"}),
        an_event(requestReceivedTimestamp="2026-11-19T23:59:59.999999Z"),
    ],
)
def test_what_is_no_run_of_the_agent_is_passed_over(event: dict[str, Any]) -> None:
    log = "\n".join(map(json.dumps, [event, an_event(), event]))

    (run,) = audit.runs(log, "previewbot", "Copilot", SINCE)
    assert run["instead_of"] == "staging/Deployment/checkout"


def test_the_week_is_counted_by_jq_itself() -> None:
    """`date --date` is GNU's: on a Mac the page's command would ask since an empty moment, for all time."""
    (moment,) = re.findall(r'--arg since "\$\(jq --null-input --raw-output \'(.*)\'\)"', audit.command())
    [since] = jq.compile(moment).input_value(None).all()

    told = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - timedelta(days=7) - told) < timedelta(hours=1)
