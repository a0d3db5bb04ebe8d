"""Whose a cause is, by the words that kubelets, runtimes and registries have for it.

They are nobody's promise. What is not recognised is told as the author's, whose change is what is new.
"""

from __future__ import annotations

import re

from previewbot.api import Reason

_BACK_OFF_RE = re.compile(r'^Back-off pulling image "[^"]*"(?:: )?(?:ErrImagePull: )?')
_RPC_RE = re.compile(r"^(?:rpc error: code = \w+ desc = )+")
_IMAGE_RE = re.compile(r"[\w.-]+(?::\d+)?(?:/[\w.-]+)+(?:[:@][\w.:-]+)*")

# What no image of the author's would change: the nodes' login, their way to the registry, their disks, a
# policy. Looked for without the images' names, which may hold any of these words.
_REFUSED_RE = re.compile(
    r"(?i)\b(?:401|403|407|429|5[0-9]{2})\b(?! bytes)|unauthori[sz]ed|forbidden|denied|authori[sz]ation|"
    r"fail(?:ed|ure) to authorize|credentials?|toomanyrequests|rate limit|x509|certificate|tls:|"
    r"server gave HTTP response|no such host|server misbehaving|dial (?:tcp|udp|unix)|timed? ?out|"
    r"deadline exceeded|connection (?:refused|reset)|\bEOF\b|proxyconnect|no space left|"
    r"signature|policy|never pull|registry is unavailable|QPS exceeded|cancell?ed|unexpected media type|"
    r"unexpected commit digest|read-only file system|resource temporarily unavailable|"
    r"cannot allocate memory|prepare snapshot|network is unreachable|no route to host"
)
_BROKEN = "input/output error"
"""Of a node's disk; it looks like an image's name."""

_REFUSING = ("ErrImageNeverPull", "RegistryUnavailable", "SignatureValidationFailed")

_CONFIG_RE = re.compile(
    r"(?i)(?:secrets?|configmaps?)\b.{0,300}\bnot found|couldn't find key|references non-existent|"
    r"serviceaccount.{0,300}\bnot found|object \"[^\"]{0,300}\"/\"[^\"]{0,300}\" not registered"
)
_NODES_RE = re.compile(
    r"(?i)deadline exceeded|failed to reserve container name|no space left|too many open files|"
    r"failed to (?:get|find) (?:a )?(?:sandbox|runtime)|no runtime for|unhealthy devices|"
    r"connection (?:refused|reset)|timed out waiting|cannot construct envvars|cannot find volume|\bsubpath\b|"
    r"cgroup|seccomp|apparmor|selinux|nvidia-container|\bCDI\b|no such device|shared or slave mount|"
    r"resource temporarily unavailable|input/output error|failed to start shim|ttrpc: closed|"
    r"dial unix|content digest"
)
_NETWORK_RE = re.compile(r"(?i)network|\bcni\b|-cni\b|\bipam\b|\bIP\b|\baddress(?:es)?\b")


def pull_cause(message: str) -> str:
    """Return why an image cannot be pulled, without what kubelet puts before it."""
    return _RPC_RE.sub("", _BACK_OFF_RE.sub("", message))


def pull_reason(waits_for: str, message: str) -> Reason:
    """Return whose an image is that cannot be pulled: its author's, or the platform's."""
    refused = waits_for in _REFUSING or _REFUSED_RE.search(_IMAGE_RE.sub("", message)) or _BROKEN in message
    return Reason.PULL_REFUSED if refused else Reason.PULL_FAILED


def start_reason(message: str) -> Reason:
    """Return whose a container is that cannot be started: by its image, by what staging lacks, by its
    node."""
    if _CONFIG_RE.search(message):
        return Reason.CONFIG_MISSING
    return Reason.NOT_STARTING if _NODES_RE.search(message) else Reason.CANNOT_START


def sandbox_reason(message: str) -> Reason:
    """Return why a pod's sandbox cannot be made: mostly for want of a network, and not always."""
    # The node may lack the runtime that the pod asks for, or the image that each sandbox has.
    return Reason.NO_NETWORK if _NETWORK_RE.search(message) else Reason.NOT_STARTING
