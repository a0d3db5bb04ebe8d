"""What is told of the API server's words against an object."""

from __future__ import annotations

import pytest

from previewbot.rules.masking import LINE_LENGTH
from previewbot.rules.refusals import in_short

NAME = 'previewsessions.preview.mirrord.metalbear.co "pcedtc4nb2m-shop-42-4108e646"'
POLICY = "ValidatingAdmissionPolicy 'previewbot-sessions' with binding 'previewbot-sessions'"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            f"{NAME} is forbidden: {POLICY} denied request: a session has one replica, and not 2",
            "the policy previewbot-sessions says: a session has one replica, and not 2",
        ),
        (
            f'{NAME} is forbidden: User "system:serviceaccount:a:b" cannot create resource',
            f'{NAME} is forbidden: User "system:serviceaccount:a:b" cannot create resource',
        ),
        (
            'admission webhook "validate.kyverno.svc-fail" denied the request: no',
            'admission webhook "validate.kyverno.svc-fail" denied the request: no',
        ),
        ("", ""),
    ],
)
def test_of_a_policys_refusal_the_policy_and_its_reason_are_told(message: str, told: str) -> None:
    assert in_short(message) == told


def test_the_reason_is_within_the_line_that_is_shown() -> None:
    reason = (
        "the image ghcr.io/acme/checkout@sha256:" + "a" * 64 + " does not come from settings.images.allowed"
    )

    assert len(in_short(f"{NAME} is forbidden: {POLICY} denied request: {reason}")) < LINE_LENGTH
