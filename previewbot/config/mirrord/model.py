"""A mirrord file as values: names, forms and refusals are those of mirrord's CLI 3.250.

Stricter than the CLI on purpose where a preview would take other people's requests, or where the CLI sends
nothing of what is written; each has its words in `config/mirrord_words.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from previewbot.config import types as t
from previewbot.config.mirrord import without_effect as no
from previewbot.config.mirrord.databases import DbBranches
from previewbot.config.mirrord.environment import EnvSwitch
from previewbot.config.mirrord.filters import HttpFilterSwitch
from previewbot.config.mirrord.network import DnsSwitch, OutgoingSwitch, TlsDelivery
from previewbot.config.mirrord.preview import PreviewFeature
from previewbot.config.mirrord.queues import SplitQueues
from previewbot.config.mirrord.target import TargetSwitch
from previewbot.config.mirrord.values import Port, PortPair, Short, Text, Texts, Truth, switched
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw, did_you_mean

_MODES = ("steal", "off")
_NEEDS_OPERATOR = ("job", "cronjob", "statefulset", "service", "replicaset")
_MOST_BUFFERED = 15 * 1024 * 1024
_LONGEST_RETRY = 5_000
"""What `startup_retry.max_ms` is where nothing is said."""


def _mode(value: object) -> object:
    if value == "mirror" or value is True:
        raise mistake("mode_mirror")
    if value is False:
        raise mistake("mode", written="false", near=Raw("in YAML, `off` needs quotes"))
    if isinstance(value, str) and value not in _MODES:
        raise mistake("mode", written=value, near=Raw(did_you_mean(value, _MODES, always=False)))
    return value


def _incoming(value: object) -> object:
    if isinstance(value, bool):
        value = "mirror" if value else "off"
    return {"mode": _mode(value)} if isinstance(value, str) else value


def _ports(value: tuple[int, ...]) -> tuple[int, ...]:
    if not value:
        raise mistake("ports_none")
    return tuple(dict.fromkeys(value))


Pairs = Annotated[tuple[PortPair, ...], AfterValidator(no.no_two)]


class Incoming(t.Model):
    """`feature.network.incoming`: which requests a session takes, on which ports."""

    mode: Annotated[Literal["steal", "off"], Short(_mode, ())] | None = None
    http_filter: HttpFilterSwitch | None = None
    https_delivery: TlsDelivery | None = None
    ignore_localhost: Truth | None = None
    ignore_ports: tuple[Port, ...] | None = about("ports it does not take", [9090], default=None)
    listen_ports: Pairs | None = None
    on_concurrent_steal: Literal["abort", "continue", "override"] | None = None
    port_mapping: Pairs | None = None
    ports: Annotated[tuple[Port, ...], AfterValidator(_ports)] | None = about(
        "where it takes requests", [8080], default=None
    )
    tls_delivery: TlsDelivery | None = None

    @model_validator(mode="after")
    def _fits(self) -> Incoming:
        if self.ports is not None and self.ignore_ports:
            raise mistake("ports_and_ignored", at="ignore_ports")
        if self.https_delivery is not None and self.tls_delivery is not None:
            raise mistake("deliveries", at="https_delivery")
        return self


IncomingSwitch = Annotated[Incoming, Short(_incoming, ({"enum": ["steal", "off", False]},))]


class Network(t.Model):
    """`feature.network`; `false` is that nothing of it is on."""

    dns: DnsSwitch | None = None
    incoming: IncomingSwitch | None = None
    ipv6: Truth | None = None
    outgoing: OutgoingSwitch | None = None


class Feature(t.Model):
    """`feature`."""

    copy_target: no.CopyTargetSwitch | None = None
    db_branches: DbBranches | None = None
    env: EnvSwitch | None = None
    fs: no.FsSwitch | None = None
    hostname: Truth | None = None
    magic: no.Magic | None = None
    network: Annotated[Network, switched({"incoming": "off"})] | None = None
    preview: PreviewFeature | None = None
    split_queues: SplitQueues | None = None


def _key(value: str) -> str:
    if not value.strip():
        raise mistake("key_empty")
    return value


class MirrordFile(t.Model):
    """All that a mirrord file may say."""

    accept_invalid_certificates: Truth | None = None
    agent: no.Agent | None = None
    api: Truth | None = None
    baggage: Text | None = None
    ci: no.Ci | None = None
    container: no.Container | None = None
    experimental: no.Experimental | None = None
    external_proxy: no.ExternalProxy | None = None
    feature: Feature | None = None
    internal_proxy: no.InternalProxy | None = None
    key: Annotated[Text, AfterValidator(_key)] | None = None
    kube_context: Text | None = None
    kubeconfig: Text | None = None
    multi_cluster: Truth | None = None
    operator: Truth | None = None
    profile: Text | None = None
    sip_binaries: Texts | None = None
    skip_build_tools: Truth | None = None
    skip_extra_build_tools: Texts | None = None
    skip_processes: Texts | None = None
    skip_sip: Texts | None = None
    startup_retry: no.StartupRetry | None = None
    target: TargetSwitch | None = None
    telemetry: Truth | None = None
    traceparent: Text | None = None
    use_proxy: Truth | None = None

    @model_validator(mode="after")
    def _fits(self) -> MirrordFile:
        self._check_operator()
        self._check_limits()
        return self

    def _check_operator(self) -> None:
        path = self.target.path if self.target else None
        copy = self.feature.copy_target if self.feature else None
        copied = copy is not None and copy.is_enabled
        if self.operator is False and path is not None and path.kind in _NEEDS_OPERATOR:
            raise mistake("operator_needed", at="operator", what=Raw(f"a {path.kind}"))
        if self.operator is False and copied:
            raise mistake("operator_needed", at="operator", what=Raw("`copy_target`"))
        if copied and path is not None and str(path.kind) == "service":
            raise mistake("copied_service", at="feature.copy_target")

    def _check_limits(self) -> None:
        buffered = self.feature.fs.readonly_file_buffer if self.feature and self.feature.fs else None
        if buffered is not None and buffered > _MOST_BUFFERED:
            raise mistake("number_most", at="feature.fs.readonly_file_buffer", most=_MOST_BUFFERED)
        retry = self.startup_retry
        if retry is not None and retry.max_ms == 0:
            raise mistake("whole_number", at="startup_retry.max_ms")
        if retry is not None and (retry.min_ms or 0) > (
            _LONGEST_RETRY if retry.max_ms is None else retry.max_ms
        ):
            raise mistake("retry", at="startup_retry.min_ms")
