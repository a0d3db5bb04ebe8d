"""The chart refuses wrong values at once, and says which and why."""

from __future__ import annotations

import pytest

from tests.chart.helm import CHART, KUBE_VERSION, run, template


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["image.repository="], "at '/image/repository': minLength: got 0, want 1"),
        (["existingSecret="], "at '/existingSecret': minLength: got 0, want 1"),
        (["settings.github.app_id=null"], "at '/settings/github/app_id': got null, want integer"),
        (["settings.github.app_id=0"], "at '/settings/github/app_id': minimum: got 0, want 1"),
        (["settings.public_url=previews.example.com"], "at '/settings/public_url': 'previews.example.com'"),
        (
            ["settings.cluster.namespaces=staging"],
            "at '/settings/cluster/namespaces': got string, want array",
        ),
        # Whoever adds what selects previewbot's objects would take them over.
        (
            ["admissionPolicy.otherMetadata={previewbot.dev/preview}"],
            "at '/admissionPolicy/otherMetadata/0': 'not' failed",
        ),
        (
            ["admissionPolicy.otherMetadata={preview.mirrord.metalbear.co/key}"],
            "at '/admissionPolicy/otherMetadata/0': 'not' failed",
        ),
        (["settings.cluster.namespaces={Staging}"], "at '/settings/cluster/namespaces/0': 'Staging'"),
        (
            ["settings.cluster.namespaces={a,a}"],
            "at '/settings/cluster/namespaces': items at 0 and 1 are equal",
        ),
        (["settings.images.allowed={https://ghcr.io/acme}"], "at '/settings/images/allowed/0'"),
        (["settings.links.gateway.name=public"], "missing properties 'namespace', 'domain'"),
        (["settings.owners={acme/shop}"], "at '/settings/owners/0': 'acme/shop' does not match pattern"),
        (["settings.repositories[0].match={acme}"], "at '/settings/repositories/0/match/0': 'acme'"),
        (["settings.repositories[0].targets={a/b}"], "missing property 'match'"),
        # Nothing in its place would mean that everything is allowed.
        (["settings.repositories=null"], "at '/settings/repositories': got null, want array"),
        (["settings.ttl.max=forever"], "at '/settings/ttl/max': 'forever' does not match"),
        (["settings.limit.previews=5"], "at '/settings': additional properties 'limit' not allowed"),
        (["settings.cluster.kubeconfig=/x"], "additional properties 'kubeconfig' not allowed"),
        (["settings.cluster.lease.name=x"], "additional properties 'lease' not allowed"),
        (["settings.github.webhook_secret=hunter2"], "additional properties 'webhook_secret' not allowed"),
        (["settings.github.private_key_file=/x"], "additional properties 'private_key_file' not allowed"),
        (
            ["settings.images.registries.harbor\\.internal.docker_config_file=/x"],
            "additional properties 'docker_config_file' not allowed",
        ),
        (["registry.hosts={ghcr.io}"], "at '/registry/existingSecret': minLength: got 0, want 1"),
        (["registry.caHosts={ghcr.io}"], "at '/registry/caConfigMap': minLength: got 0, want 1"),
        (["web.replicas=two"], "at '/web/replicas': got string, want integer"),
        (["pages.replicas=two"], "at '/pages/replicas': got string, want integer"),
        (["settings.access=github"], 'settings.access "github" needs signIn.existingSecret'),
        (["signIn.proxyKeysConfigMap=keys"], "has the keys of settings.proxy.assertion, which is not set"),
        (["guard.existingSecret=guard"], "has the keys of settings.links.gateway.guard, which is not set"),
        (
            [
                f"settings.links.gateway.{one}"
                for one in ("name=a", "namespace=a", "domain=a", "guard.host_in=Host")
            ],
            "settings.links.gateway.guard needs guard.existingSecret",
        ),
        (["controller.replica=2"], "at '/controller': additional properties 'replica' not allowed"),
        (["ingress.expose={metrics}"], "at '/ingress/expose/0'"),
        (["httpRoute.enabled=true"], "at '/httpRoute/parentRefs': minItems: got 0, want 1"),
        (["extraEnv[0].name=POD_NAME"], "at '/extraEnv/0/name': 'not' failed"),
        # It would reach all processes, and the policies would not know of it.
        (["extraEnv[0].name=PREVIEWBOT_GITHUB__PRIVATE_KEY"], "at '/extraEnv/0/name': 'not' failed"),
        (["extraEnv[0].value=x"], "at '/extraEnv/0': missing property 'name'"),
        (["settings.github.ca_file=/x"], "additional properties 'ca_file' not allowed"),
        (["replicaCount=2"], "additional properties 'replicaCount' not allowed"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_wrong(options: list[str], words: str) -> None:
    result = template("minimal", *(word for option in options for word in ("--set", option)))

    assert result.returncode != 0
    assert words in result.stderr


def test_all_that_must_be_given_is_named_at_once() -> None:
    result = run("template", "previewbot", str(CHART), "--kube-version", KUBE_VERSION)

    for missing in ("repository", "existingSecret", "public_url", "namespaces", "app_id", "allowed"):
        assert missing in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["settings.ttl.default=4h", "settings.ttl.max=3h59m"],
            "ttl.default must be at most settings.ttl.max",
        ),
        (["settings.ttl.default=4d"], "which is 72h"),
        (["settings.ttl.max=7h59m59s"], "which is 7h59m59s"),
        (
            ["ingress.enabled=true", "settings.public_url=https://example.com/previews"],
            '"https://example.com/previews" has a path',
        ),
        (["pictures.enabled=true"], "pictures.image.repository"),
        (["pictures.enabled=true", "pictures.image.repository=r.io/p"], "a Secret with the key token"),
        (
            ["pictures.enabled=true", "pictures.image.repository=r.io/p", "pictures.existingSecret=p"],
            "pictures.reaches.peers: the pods of the Gateway",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused_in_words(options: list[str], words: str) -> None:
    result = template("minimal", *(word for option in options for word in ("--set", option)))

    assert result.returncode != 0
    assert words in result.stderr


def test_a_cluster_that_is_too_old_is_refused() -> None:
    result = template("minimal", "--kube-version", "1.29.9")

    assert result.returncode != 0
    assert "chart requires kubeVersion: >=1.30.0-0" in result.stderr


def test_the_tag_is_the_version_of_the_application_unless_given() -> None:
    def image(*options: str) -> str:
        result = template("minimal", *options)
        [line] = {line.strip() for line in result.stdout.splitlines() if line.strip().startswith("image: ")}
        return line

    assert image() == "image: registry.example.com/previewbot:0.1.0"
    assert image("--set-string", "image.tag=7") == "image: registry.example.com/previewbot:7"
