"""`previewbot conformance` tries a session with real pods, through a Gateway whose hosts no DNS knows."""

from __future__ import annotations

import pytest

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.links import Links
from previewbot.config.repository import TargetPath
from previewbot.config.server import GatewaySettings
from previewbot.doctor.check import State
from previewbot.doctor.conformance.judged import judged
from previewbot.doctor.conformance.record import Asking, Record
from previewbot.doctor.conformance.running import REQUESTS, Trial, subject_of, tried
from previewbot.doctor.conformance.subject import Backend, session_manifest
from tests.node.conftest import Place
from tests.node.node import GATEWAY_PORT
from tests.node.town import SHOP_URL

pytestmark = pytest.mark.timeout(600)

GATEWAY = GatewaySettings(
    name="public", namespace="gateways", domain="preview.invalid", scheme="http", port=GATEWAY_PORT
)


async def test_a_session_is_tried_through_the_gateway_and_nothing_of_it_stays(place: Place) -> None:
    kube = await Kube.connect(place.node.kubeconfig, user_agent="tests")
    try:
        subject = await subject_of(
            kube, "staging", TargetPath("deployment", "web"), f"{SHOP_URL}/", GATEWAY, Backend("web", 80)
        )
        begun = Record("tests", "", {}, subject.link, True, sent=session_manifest(subject)["spec"])
        record = await tried(Trial(kube, Links("tests"), print), subject, begun)
    finally:
        await kube.close()

    checks = judged(record)
    assert [check.line for check in checks if check.state is not State.OK] == []
    assert record.answers[Asking.WITH_KEY].by_session == REQUESTS
    assert record.answers[Asking.WITHOUT].passed_through == REQUESTS
    # Its class says that it can, which previewbot goes by.
    assert record.answers[Asking.WITH_KEY].named_commit == REQUESTS
    assert [seen.phase for seen in record.phases][-1] == "Ready"
    left = place.node.get("previewsessions,httproutes,pods", "--namespace", "staging")["items"]
    assert [each["metadata"]["name"] for each in left if subject.key in each["metadata"]["name"]] == []
