# ruff: noqa: E501 - the messages are those of kubelets and runtimes, as they write them
"""Whose a cause is: the author's, whose image it is, or the platform team's, whose nodes and staging it is."""

from __future__ import annotations

import pytest

from previewbot.api import Reason
from previewbot.rules.pod_problems.causes import pull_reason, sandbox_reason, start_reason

IMAGE = '"quay.io/acme/checkout@sha256:' + "3f2c1ab0" * 8 + '"'
CHAIN = f"failed to pull and unpack image {IMAGE}: "
RUNC = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "


@pytest.mark.parametrize(
    "message",
    [
        "pull QPS exceeded",
        f"{CHAIN}context canceled",
        f"{CHAIN}failed to unpack image on snapshotter overlayfs: unexpected media type text/html for sha256:aa: not found",
        f'{CHAIN}failed commit on ref "layer-sha256:aa": unexpected commit digest sha256:bb, expected sha256:aa: failed precondition',
        f"{CHAIN}failed to extract layer sha256:aa: write /usr/lib/x: input/output error: unknown",
        f'{CHAIN}failed to prepare extraction snapshot "extract-1 sha256:aa": failed to create prepare snapshot dir: failed to create temp dir: no such file or directory',
        f"{CHAIN}failed to get stream processor: fork/exec /usr/bin/unpigz: resource temporarily unavailable",
        'connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory"',
    ],
)
def test_a_pull_that_no_other_image_would_mend_is_the_platform_teams(message: str) -> None:
    assert pull_reason("ErrImagePull", message) is Reason.PULL_REFUSED


@pytest.mark.parametrize(
    "message",
    [
        f"{CHAIN}failed to resolve reference {IMAGE}: not found",
        f"{CHAIN}no match for platform in manifest: not found",
        'choosing an image from manifest list: no image found in image index for architecture "arm64", variant "v8", OS "linux"',
        'couldn\'t parse image name "ghcr.io/Acme/Checkout:1": invalid reference format: repository name must be lowercase',
        f"{CHAIN}mediaType in manifest should be 'application/vnd.docker.distribution.manifest.v2+json'",
    ],
)
def test_a_pull_of_an_image_that_is_not_there_is_its_authors(message: str) -> None:
    assert pull_reason("ErrImagePull", message) is Reason.PULL_FAILED


@pytest.mark.parametrize(
    "message",
    [
        "failed to sync secret cache: timed out waiting for the condition",
        "services have not yet been read at least once, cannot construct envvars",
        'cannot find volume "data" to mount into container "app"',
        'failed to prepare subPath for volumeMount "data" of container "app"',
        f"{RUNC}unable to apply cgroup configuration: failed to write 1234: no such file or directory: unknown",
        f"{RUNC}error during container init: error running hook #0: nvidia-container-cli: initialization error: driver rpc error",
        'failed to generate spec: cannot load seccomp profile "/var/lib/kubelet/seccomp/p.json": no such file or directory',
        "failed to start shim: start failed: fork/exec /usr/bin/containerd-shim-runc-v2: resource temporarily unavailable",
        "failed to create shim task: ttrpc: closed: unknown",
        'get apparmor_parser version: exec: "apparmor_parser": executable file not found in $PATH',
        'path "/mnt/data" is mounted on "/" but it is not a shared or slave mount',
    ],
)
def test_a_start_that_a_node_spoils_is_the_platform_teams(message: str) -> None:
    assert start_reason(message) is Reason.NOT_STARTING


def test_a_secret_that_kubelet_has_not_seen_yet_is_stagings() -> None:
    assert start_reason('object "staging"/"checkout-db" not registered') is Reason.CONFIG_MISSING


@pytest.mark.parametrize(
    "message",
    [
        f'{RUNC}error during container init: exec: "/app": permission denied: unknown',
        f"{RUNC}exec /app/server: exec format error: unknown",
        "unable to find user app: no matching entries in passwd file",
        "image has non-numeric user (app), cannot verify user is non-root",
    ],
)
def test_a_start_that_the_image_spoils_is_its_authors(message: str) -> None:
    assert start_reason(message) is Reason.CANNOT_START


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "failed to setup network for sandbox: add cmd: failed to assign an IP address to container",
            Reason.NO_NETWORK,
        ),
        ('plugin type="calico" failed (add): no IP addresses available in range set', Reason.NO_NETWORK),
        ('failed to get sandbox runtime: no runtime for "gvisor" is configured', Reason.NOT_STARTING),
        ('failed to get sandbox image "registry.k8s.io/pause:3.9": i/o timeout', Reason.NOT_STARTING),
    ],
)
def test_a_sandbox_that_cannot_be_made_is_not_always_for_want_of_a_network(
    message: str, reason: Reason
) -> None:
    assert sandbox_reason(message) is reason
