"""Two references to images are of one service where the path says so, whichever registry has it."""

from __future__ import annotations

import pytest

from previewbot.rules.alike_images import likeness

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("one", "other", "sure"),
    [
        ("ghcr.io/acme/checkout:1", "ghcr.io/acme/checkout:main", 3),
        ("ghcr.io/acme/checkout:1", f"ghcr.io/acme/checkout@{DIGEST}", 3),
        ("ghcr.io/acme/checkout:1", f"ghcr.io/acme/checkout:main@{DIGEST}", 3),
        ("ghcr.io/acme/checkout:1", "GHCR.io/acme/checkout", 3),
        ("acme/checkout:1", "docker.io/acme/checkout:2", 3),
        ("index.docker.io/library/redis:7", "redis", 3),
        ("ghcr.io/acme/checkout:1", "registry.example.com:5000/acme/checkout:1", 2),
        ("ghcr.io/acme/checkout:1", "mirror.example.com/ghcr.io/acme/checkout:1", 1),
        (
            "ghcr.io/acme/checkout:1",
            "1.dkr.ecr.eu-west-1.amazonaws.com/github/acme/checkout:1",
            1,
        ),
        ("ghcr.io/acme/checkout:1", "localhost:5001/checkout:dev", 1),
        ("ghcr.io/acme/checkout:1", "ghcr.io/acme/checkout-migrations:1", 0),
        ("ghcr.io/acme/checkout:1", "ghcr.io/acme/web:1", 0),
        ("ghcr.io/acme/checkout:1", "ghcr.io/other/checkout:1", 0),
        ("ghcr.io/acme/nginx:1", "nginx:1.27", 0),
        ("registry.example.com/proxy:1", "registry.example.com/envoyproxy/proxy:1", 1),
        ("proxy:1", "envoyproxy/proxy:1", 0),
        ("ghcr.io/acme/checkout:1", "", 0),
        ("ghcr.io/acme/checkout:1", "Not An Image", 0),
    ],
)
def test_two_references_are_as_alike_as_their_repositories(one: str, other: str, sure: int) -> None:
    assert likeness(one, other) == sure
    assert likeness(other, one) == sure
