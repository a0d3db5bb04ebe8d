"""What a mirrord file may say that has no effect on a preview: it is about a process on somebody's machine.

The names and forms are those of mirrord's CLI 3.250, which refuses others here as well. That something has
no effect is told (`notes.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from previewbot.config import types as t
from previewbot.config.mirrord.values import Number, Short, SmallNumber, Text, Texts, Truth
from previewbot.config.types import mistake

Things = tuple[Mapping[str, Any], ...]
"""Objects of Kubernetes' own, of which previewbot knows nothing."""
FsMode = Literal["local", "localwithoverrides", "read", "write"]


class AgentImage(t.Model):
    """`agent.image`."""

    registry: Text | None = None
    tag: Text | None = None


class AgentDns(t.Model):
    """`agent.dns`."""

    attempts: Number | None = None
    timeout: Number | None = None


class SecurityProfile(t.Model):
    """A profile of `agent.security_context`."""

    type: Text
    localhost_profile: Text | None = None


class SecurityContext(t.Model):
    """`agent.security_context`."""

    app_armor_profile: SecurityProfile | None = None
    seccomp_profile: SecurityProfile | None = None


def _image(value: object) -> object:
    return {"registry": value} if isinstance(value, str) else value


class Agent(t.Model):
    """`agent`: the pod that mirrord starts where there is no operator."""

    annotations: Mapping[str, Text] | None = None
    check_out_of_pods: Truth | None = None
    clean_iptables_on_start: Truth | None = None
    communication_timeout: SmallNumber | None = None
    disable_mesh_sidecar_injection: Truth | None = None
    disabled_capabilities: tuple[Text, ...] | None = None
    dns: AgentDns | None = None
    ephemeral: Truth | None = None
    exclude_from_mesh: Truth | None = None
    external_ip_fix: Truth | None = None
    flush_connections: Truth | None = None
    http_detection_timeout: Number | None = None
    image: Annotated[AgentImage, Short(_image, ({"type": "string"},))] | None = None
    image_pull_policy: Text | None = None
    image_pull_secrets: Things | None = None
    inject_headers: Truth | None = None
    jaq_time_limit: Number | None = None
    json_log: Truth | None = None
    labels: Mapping[str, Text] | None = None
    log_level: Text | None = None
    max_body_buffer_size: Number | None = None
    max_body_buffer_timeout: Number | None = None
    metrics: Text | None = None
    namespace: Text | None = None
    nftables: Truth | None = None
    node_selector: Mapping[str, Text] | None = None
    override_cache_control: Truth | None = None
    priority_class: Text | None = None
    privileged: Truth | None = None
    resources: Mapping[str, Any] | None = None
    security_context: SecurityContext | None = None
    service_account: Text | None = None
    startup_timeout: Number | None = None
    tolerations: Things | None = None
    ttl: SmallNumber | None = None


class Ci(t.Model):
    """`ci`: of `mirrord ci`."""

    output_dir: Text | None = None


class Container(t.Model):
    """`container`: of `mirrord container`."""

    cli_extra_args: tuple[Text, ...] | None = None
    cli_image: Text | None = None
    cli_image_lib_path: Text | None = None
    cli_prevent_cleanup: Truth | None = None
    cli_tls_path: Text | None = None
    host_gateway_detection: Truth | None = None
    override_host_ip: Text | None = None
    platform: Text | None = None


class Latency(t.Model):
    """`experimental.latency`."""

    receive_delay: Number | None = None
    transmit_delay: Number | None = None


class Experimental(t.Model):
    """`experimental`: of the process on somebody's machine."""

    applev: Mapping[str, Any] | None = None
    browser_extension_config: Truth | None = None
    disable_reuseaddr: Truth | None = None
    dlopen_cgo: Truth | None = None
    enable_exec_hooks_linux: Truth | None = None
    go_asmcgocall: Truth | None = None
    guard_std_fds: Truth | None = None
    hide_ipv6_interfaces: Truth | None = None
    idle_local_http_connection_timeout: Number | None = None
    ignore_system_proxy_config: Truth | None = None
    latency: Latency | None = None
    non_blocking_tcp_connect: Truth | None = None
    sip_log_destination: Text | None = None
    sip_utils: Truth | None = None
    tcp_ping4_mock: Truth | None = None
    trust_any_certificate: Truth | None = None
    use_dev_null: Truth | None = None


class ExternalProxy(t.Model):
    """`external_proxy`."""

    host_ip: Text | None = None
    idle_timeout: Number | None = None
    json_log: Truth | None = None
    log_destination: Text | None = None
    log_level: Text | None = None
    start_idle_timeout: Number | None = None
    tls_enable: Truth | None = None


class InternalProxy(t.Model):
    """`internal_proxy`."""

    idle_timeout: Number | None = None
    json_log: Truth | None = None
    log_destination: Text | None = None
    log_level: Text | None = None
    ping_interval: Number | None = None
    process_logging_interval: Number | None = None
    socket_timeout: Number | None = None
    start_idle_timeout: Number | None = None


class StartupRetry(t.Model):
    """`startup_retry`."""

    max_ms: Number | None = None
    max_retries: Number | None = None
    min_ms: Number | None = None


class CopyTarget(t.Model):
    """`feature.copy_target`; `true` is that it is enabled."""

    enabled: Truth | None = None
    exclude_containers: tuple[Text, ...] | None = None
    exclude_init_containers: tuple[Text, ...] | None = None
    scale_down: Truth | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the CLI would copy the target."""
        return self.enabled is not False


def _copy(value: object) -> object:
    return {"enabled": value} if isinstance(value, bool) else value


CopyTargetSwitch = Annotated[CopyTarget, Short(_copy, ({"type": "boolean"},))]


class Fs(t.Model):
    """`feature.fs`; a text is the mode."""

    local: Texts | None = None
    mapping: Mapping[str, Text] | None = None
    mode: FsMode | None = None
    not_found: Texts | None = None
    read_only: Texts | None = None
    read_write: Texts | None = None
    readonly_file_buffer: Number | None = None


def _fs(value: object) -> object:
    if isinstance(value, bool):
        return {} if value else {"mode": "local"}
    return {"mode": value} if isinstance(value, str) else value


FsSwitch = Annotated[Fs, Short(_fs, ({"type": "boolean"}, {"type": "string"}))]


class Magic(t.Model):
    """`feature.magic`."""

    auto_mount: Truth | None = None
    aws: Truth | None = None
    turbo: Truth | None = None


def no_two(pairs: tuple[tuple[int, ...], ...] | None) -> tuple[tuple[int, ...], ...] | None:
    """Return pairs of ports of which none has a port in common with another on the same side."""
    for side in (0, 1):
        seen = set[int]()
        for pair in pairs or ():
            if pair[side] in seen:
                raise mistake("port_twice", port=pair[side])
            seen.add(pair[side])
    return pairs
