# ruff: noqa: E501 - the messages are those of Kubernetes, as it writes them
"""Pods that do not come up, as API servers show them with their events, and ReplicaSets that get none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.pods import Object, a_pod, container, containers, ended, moment, running, waiting

DIGEST = "sha256:" + "3f2c1ab0" * 8
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/acme/platform/checkout-service@" + DIGEST
INTERNAL = "registry.internal.example.com:5000/acme/platform/checkout-service@" + DIGEST
GAR = "europe-west1-docker.pkg.dev/acme-staging-1234/containers/checkout@" + DIGEST
TOKEN = (
    "https://europe-west1-docker.pkg.dev/v2/token?scope=repository%3Aacme-staging-1234%2Fcontainers%2F"
    "checkout%3Apull&service=europe-west1-docker.pkg.dev"
)


@dataclass(frozen=True)
class Trouble:
    """A pod's status, what else its manifest has, and its events: (reason, message, type, seconds ago)."""

    status: Object
    says: tuple[str, ...]
    reason: str
    events: tuple[tuple[str, ...], ...] = ()
    spec: Object = field(default_factory=dict)
    platform: bool = False
    sidecar: bool = False
    more: tuple[Object, ...] = ()

    def pods(self, session_uid: str, now: datetime) -> tuple[Object, ...]:
        """Return the session's pods, the last of which is the newest: made two minutes ago."""
        made = {"creationTimestamp": moment(now - timedelta(minutes=2))}
        newest = a_pod(session_uid, self.status, uid=f"pod of {session_uid}", **made)
        newest["spec"] |= self.spec
        before = {"creationTimestamp": moment(now - timedelta(minutes=4))}
        earlier = [
            a_pod(session_uid, status, name=f"checkout-0{number}", uid=f"{number} of {session_uid}", **before)
            for number, status in enumerate(self.more)
        ]
        return (*earlier, newest)

    def said(self, session_uid: str, now: datetime) -> list[Object]:
        """Return the events about the pod."""
        uid = f"pod of {session_uid}"
        return [an_event(uid, now, each[0], each[1], *each[2:]) for each in self.events]


def an_event(
    uid: str, now: datetime, reason: str, message: str, kind: str = "Warning", ago: str = "20"
) -> Object:
    """Return an event about an object, last seen so many seconds ago."""
    return {
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": moment(now - timedelta(seconds=float(ago))),
        "metadata": {"name": "e"},
        "involvedObject": {"uid": uid},
    }


def pulls(message: str, reason: str = "ErrImagePull", **more: Any) -> Object:
    """Return the status of a pod whose image is not pulled, with these words."""
    return containers(container(waiting(reason, message), **more), phase="Pending")


def chain(image: str, cause: str) -> str:
    """Return containerd's words for a pull that failed."""
    return f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {cause}'


def creating() -> Object:
    """Return the status of a pod that has a node and waits, with nothing to complain of."""
    return containers(container(waiting("ContainerCreating")), phase="Pending", conditions=[SCHEDULED])


def unready(state: Object, last: Object | None = None, *, restarts: int = 0) -> Object:
    """Return the status of a pod whose container runs and is not ready."""
    status = container(state, last, restarts=restarts)
    return containers({**status, "ready": False, "started": True})


def failed(reason: str, message: str, now: datetime, **more: Any) -> Object:
    """Return the status of a pod that a node turned away two minutes ago."""
    started = moment(now - timedelta(minutes=2))
    return {"phase": "Failed", "reason": reason, "message": message, "startTime": started, **more}


def unscheduled(message: str, reason: str = "Unschedulable", *others: Object) -> Object:
    """Return the status of a pod without a node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return {"phase": "Pending", "conditions": [*others, condition]}


SCHEDULED = {"type": "PodScheduled", "status": "True"}
BACK_OFF = f'Back-off pulling image "{ECR}"'
NOT_FOUND = f'Failed to pull image "{ECR}": rpc error: code = NotFound desc = ' + chain(
    ECR, f"{ECR}: not found"
)
COMBINED = "(combined from similar events): "
LIVENESS = "Liveness probe failed: HTTP probe failed with statuscode: 404"
READINESS = "Readiness probe failed: dial tcp 10.1.2.3:8080: connect: connection refused"
NO_SERVER = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "./server": stat ./server: no such file '
    "or directory: unknown"
)
NO_IP = (
    'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "'
    + "0d9c" * 16
    + '": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container'
)


def troubles(now: datetime) -> dict[str, Trouble]:
    """Return pods in trouble, as they stand at this moment."""

    def at(seconds: float) -> str:
        return moment(now - timedelta(seconds=seconds))

    killed = {"startedAt": at(40), "finishedAt": at(12)}
    sidecar = {"initContainers": [{"name": "cloud-sql-proxy", "restartPolicy": "Always"}]}
    waits = container(waiting("PodInitializing"))
    return {
        "an image for another platform": Trouble(
            pulls(f"{BACK_OFF}: ErrImagePull: {chain(ECR, 'no match for platform in manifest: not found')}",
                  "ImagePullBackOff"),
            ("checkout's image cannot be pulled", "no match for platform in manifest: not found"),
            "PullFailed",
        ),
        "a node's login that ran out": Trouble(
            pulls(chain(ECR, "pull access denied, repository does not exist or may require authorization: "
                        "authorization failed: no basic auth credentials")),
            ("checkout's image cannot be pulled", "authorization failed: no basic auth credentials"),
            "PullRefused", platform=True,
        ),
        "a registry that gives no token": Trouble(
            pulls(chain(GAR, f"failed to authorize: failed to fetch anonymous token: unexpected status from GET "
                        f"request to {TOKEN}: 403 Forbidden")),
            ("checkout's image cannot be pulled", "403 Forbidden"), "PullRefused", platform=True,
        ),
        "a registry with a certificate of its own": Trouble(
            pulls(f'Back-off pulling image "{INTERNAL}": ErrImagePull: '
                  + chain(INTERNAL, f'failed to do request: Head "https://registry.internal.example.com:5000/v2/'
                          f'acme/platform/checkout-service/manifests/{DIGEST}": tls: failed to verify certificate: ' "x509: certificate signed by unknown authority"),
                          "ImagePullBackOff"),
            ("x509: certificate signed by unknown authority",), "PullRefused", platform=True,
        ),
        "a registry that nobody can name": Trouble(
            pulls(chain(INTERNAL, "failed to do request: dial tcp: lookup registry.internal.example.com on "
                        "10.96.0.10:53: no such host")),
            ("no such host",), "PullRefused", platform=True,
        ),
        "an image that is not there": Trouble(
            pulls(chain(ECR, f"{ECR}: not found")), ("failed to resolve reference: not found",), "PullFailed"
        ),
        "a back-off that only events explain": Trouble(
            pulls(BACK_OFF, "ImagePullBackOff"),
            ("checkout's image cannot be pulled", "failed to resolve reference: not found"), "PullFailed",
            (("Failed", NOT_FOUND), ("Failed", "Error: ErrImagePull"), ("BackOff", BACK_OFF, "Normal", "5")),
        ),
        "a program for another processor": Trouble(
            containers(container(waiting("CrashLoopBackOff"), ended(255), restarts=4)),
            ("checkout crashes again and again", "exit code 255"), "Crashing",
        ),
        "a command that ends": Trouble(
            containers(container(waiting("CrashLoopBackOff"), ended(0, "Completed"), restarts=3)),
            ("checkout crashes again and again", "exit code 0"), "Crashing",
        ),
        "a command that is not there": Trouble(
            containers(container(waiting("CrashLoopBackOff"),
                       ended(128, "StartError", message=NO_SERVER, startedAt="1970-01-01T00:00:00Z",
                             finishedAt=at(20)), restarts=3)),
            ("checkout cannot be started", 'exec: "./server": stat ./server: no such file or directory'),
            "CannotStart",
        ),
        "a root image where none may be": Trouble(
            containers(container(waiting("CreateContainerConfigError",
                                         "container has runAsNonRoot and image will run as root")),
                                         phase="Pending"),
            ("checkout cannot be started", "runAsNonRoot"), "CannotStart",
        ),
        "a key that a Secret lacks": Trouble(
            containers(container(waiting("CreateContainerConfigError",
                                         "couldn't find key DATABASE_URL in Secret staging/checkout-db")),
                       phase="Pending"),
            ("checkout cannot be started", "couldn't find key DATABASE_URL in Secret staging/checkout-db"),
            "ConfigMissing", platform=True,
        ),
        "a hook that fails": Trouble(
            containers(container(waiting("PostStartHookError", "command 'warm-up' exited with 126: "))),
            ("checkout cannot be started", "exited with 126"), "CannotStart",
        ),
        "a sidecar among the init containers that ends": Trouble(
            {"phase": "Pending", "initContainerStatuses": [
                container(waiting("CrashLoopBackOff"), ended(0, "Completed"), name="cloud-sql-proxy",
                restarts=3)],
             "containerStatuses": [waits]},
            ("checkout's sidecar `cloud-sql-proxy` crashes again and again",), "Crashing", platform=True, sidecar=True, spec=sidecar,
        ),
        "a sidecar whose image cannot be pulled": Trouble(
            containers(container(running(now, 200)),
                       container(waiting("ImagePullBackOff", 'Back-off pulling image "docker.io/istio/proxyv2:1.23.0": '
                                 'ErrImagePull: failed to pull and unpack image "docker.io/istio/proxyv2:1.23.0": ' "failed to copy: httpReadSeeker: failed open: unexpected status code https://"
                                 "registry-1.docker.io/v2/istio/proxyv2/manifests/sha256:aa: 429 Too Many Requests - " "Server message: toomanyrequests: You have reached your unauthenticated pull rate " "limit. https://www.docker.com/increase-rate-limit"), name="istio-proxy")),
            ("the image of checkout's sidecar `istio-proxy` cannot be pulled", "toomanyrequests"),
            "PullRefused", platform=True,
        ),
        "an init container that waits for ever": Trouble(
            {"phase": "Pending", "initContainerStatuses": [container(running(now, 240), name="wait-for-db")],
             "containerStatuses": [waits],
             "conditions": [{"type": "Initialized", "status": "False",
                             "message": "containers with incomplete status: [wait-for-db]"}]},
            ("checkout waits for its init container `wait-for-db`", "incomplete status: [wait-for-db]"),
            "InitWaiting",
        ),
        "a Secret that a volume needs": Trouble(
            creating(), ("checkout waits for a volume", 'secret "checkout-tls" not found'),
            "VolumeUnavailable", (("FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "checkout-tls" not found'),), platform=True,
        ),
        "a disk that another has": Trouble(
            creating(), ("checkout waits for a volume", "Volume is already used by pod(s) checkout-5c4-abcde"), "VolumeUnavailable",
            (("FailedAttachVolume", 'Multi-Attach error for volume "pvc-0a1b" Volume is already used by pod(s) '
              "checkout-5c4-abcde"),), platform=True,
        ),
        "an image that is missed for the eleventh time": Trouble(
            pulls(BACK_OFF, "ImagePullBackOff"),
            ("checkout's image cannot be pulled", "failed to resolve reference: not found"), "PullFailed",
            (("Failed", COMBINED + NOT_FOUND),),
        ),
        "a readiness probe that fails for the eleventh time": Trouble(
            unready(running(now, 300)), ("checkout runs, but is not ready", "`Readiness probe failed", "reset by peer"),
            "ProbeFailing", (("Unhealthy", f"{COMBINED}Readiness probe failed: read tcp 10.1.2.1:54321->10.1.2.3:8080: "
                              "read: connection reset by peer"),),
        ),
        "a runtime that the node does not have": Trouble(
            creating(), ("checkout does not begin", 'no runtime for "gvisor" is configured'), "NotStarting",
            (("FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get "
              'sandbox runtime: no runtime for "gvisor" is configured'),), platform=True,
        ),
        "many kinds of nodes": Trouble(
            unscheduled("0/120 nodes are available: " + ", ".join(
                f"{number} node(s) had untolerated taint {{dedicated: team-{number}}}" for number in range(2, 12))
                + ", 40 Insufficient cpu. preemption: 0/120 nodes are available: 120 Preemption is not helpful for "
                "scheduling, since no pod of a lower priority runs on any of them that could make room for it."),
            ("checkout finds no room in the cluster", "0/120 nodes are available", "40 Insufficient cpu"),
            "Unschedulable", platform=True,
        ),
        "no address left": Trouble(
            creating(), ("checkout gets no network", "failed to assign an IP address to container"),
            "NoNetwork", (("FailedCreatePodSandBox", NO_IP),), platform=True,
        ),
        "a warning that nobody thought of": Trouble(
            creating(), ("checkout does not begin", "FailedPrepareDynamicResources: no claim gpu-1"),
            "NotStarting", (("Scheduled", "Successfully assigned", "Normal", "60"),
             ("FailedPrepareDynamicResources", "no claim gpu-1")), platform=True,
        ),
        "a scheduling gate": Trouble(
            {**unscheduled("Scheduling is blocked due to non-empty scheduling gates", "SchedulingGated"), },
            ("checkout is held back by a scheduling gate", "kueue.x-k8s.io/admission"), "SchedulingGated",
            spec={"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}, platform=True,
        ),
        "no room, for a pod that was preempted": Trouble(
            unscheduled("0/3 nodes are available: 3 Insufficient memory.", "Unschedulable",
                        {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
                         "message": "default-scheduler: preempting to accommodate a higher priority pod"}),
            ("checkout finds no room in the cluster", "3 Insufficient memory", "a higher priority pod"),
            "Unschedulable", platform=True,
        ),
        "a volume claim that nothing serves": Trouble(
            unscheduled("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
            ("checkout finds no node in the cluster", "unbound immediate PersistentVolumeClaims"),
            "Unschedulable", platform=True,
        ),
        "nodes of another kind": Trouble(
            unscheduled("0/6 nodes are available: 1 node(s) had untolerated taint {x: }, 2 node(s) didn't match Pod's "
                        "node affinity/selector, 3 node(s) had too many pods of the queue. preemption: none"),
            ("checkout finds no node in the cluster", "didn't match Pod's node affinity/selector"),
            "Unschedulable", platform=True,
        ),
        "a device that a node does not have": Trouble(
            failed("UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present; "
                   "cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected", now),
            ("checkout is turned away by the cluster's nodes", "UnexpectedAdmissionError: Pod was rejected",
             "nvidia.com/gpu"), "TurnedAway", platform=True,
        ),
        "evictions in a loop": Trouble(
            {"phase": "Pending", "conditions": [SCHEDULED]},
            ("checkout is turned away by the cluster's nodes", "The node was low on resource: memory"),
            "TurnedAway", more=(failed("Evicted", "The node was low on resource: memory. ", now),) * 3,
            platform=True,
        ),
        "no cpu where the scheduler saw some": Trouble(
            failed("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800",
                   now),
            ("checkout is turned away by the cluster's nodes", "OutOfcpu"), "TurnedAway", platform=True,
        ),
        "a node that lost its label": Trouble(
            failed("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed", now),
            ("checkout is turned away by the cluster's nodes", "NodeAffinity"), "TurnedAway", platform=True,
        ),
        "a log on a small disk": Trouble(
            failed("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
            now), ("checkout used more disk than it may", "exceeds the total limit of containers 1Gi"),
            "OutOfDisk",
        ),
        "a readiness probe on another port": Trouble(
            unready(running(now, 300)), ("checkout runs, but is not ready", READINESS), "ProbeFailing",
            (("Unhealthy", READINESS),),
        ),
        "a startup probe that has not succeeded yet": Trouble(
            unready(running(now, 100)), ("checkout runs, but is not ready", "Startup probe failed"),
            "ProbeFailing", (("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 503"),),
        ),
        "a liveness probe that kills": Trouble(
            unready(running(now, 10), ended(137, **killed), restarts=6),
            ("checkout crashes again and again", "exit code 137", LIVENESS), "Crashing",
            (("Unhealthy", LIVENESS), ("Killing", "Container app failed liveness probe, will be restarted")),
        ),
        "one that kills seldom": Trouble(
            unready(running(now, 70), ended(137, startedAt=at(60), finishedAt=at(71)), restarts=6),
            ("checkout crashes again and again", "exit code 137", LIVENESS), "Crashing", (("Unhealthy",
            LIVENESS),),
        ),
    }  # fmt: skip


NOT_MEANT = "Forbidden: not usable by user or serviceaccount"
REFUSALS = {
    "a quota": (
        'pods "checkout-6d5f7c9b8-x2x7k" is forbidden: exceeded quota: compute, requested: limits.memory=2Gi, used: '
        "limits.memory=63Gi, limited: limits.memory=64Gi",
        "exceeded quota: compute",
    ),
    "a quota for what the pod does not say": (
        'pods "checkout-1" is forbidden: failed quota: compute: must specify limits.cpu for: istio-proxy',
        "must specify limits.cpu for: istio-proxy",
    ),
    "a limit range": (
        'pods "checkout-1" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
        "maximum memory usage per Container is 1Gi, but limit is 2Gi",
    ),
    "Pod Security": (
        'pods "checkout-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
        '(container "app" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true',
        'violates PodSecurity "restricted:latest"',
    ),
    "a webhook": (
        'admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/staging/checkout-1 was '
        "blocked due to the following policies \n\nrequire-labels:\n  check-team: 'validation error: label team is "
        "required. rule check-team failed at path /metadata/labels/team/'",
        "rule check-team failed at path /metadata/labels/team/",
    ),
    "a webhook that is away": (
        'Internal error occurred: failed calling webhook "mpod.elbv2.k8s.aws": failed to call webhook: Post '
        '"https://aws-lb.kube-system.svc:443/mutate-v1-pod?timeout=10s": no endpoints available for service "aws-lb"',
        "no endpoints available for service",
    ),
    "OpenShift's constraints": (
        'pods "checkout-1" is forbidden: unable to validate against any security context constraint: [provider '
        '"anyuid": Forbidden: not usable by user or serviceaccount, .containers[0].runAsUser: Invalid value: 65532]',
        "unable to validate against any security context constraint",
    ),
    "all of OpenShift's constraints": (
        'pods "checkout-1" is forbidden: unable to validate against any security context constraint: [provider '
        f'"anyuid": {NOT_MEANT}, provider restricted-v2: .containers[0].runAsUser: Invalid value: 65532: must be in '
        "the ranges: [1000680000, 1000689999], "
        + ", ".join(
            f'provider "{name}": {NOT_MEANT}' for name in ("nonroot-v2", "hostnetwork", "node-exporter")
        )
        + "]",
        "runAsUser: Invalid value: 65532: must be in the ranges: [1000680000, 1000689999]",
    ),
    "an account that is not there": (
        'pods "checkout-1" is forbidden: error looking up service account staging/shop: serviceaccount "shop" not '
        "found",
        'serviceaccount "shop" not found',
    ),
    "a priority that is not there": (
        'pods "checkout-1" is forbidden: no PriorityClass with name urgent was found',
        "no PriorityClass with name urgent was found",
    ),
}
"""What a ReplicaSet is told that may make no pod, and what of it a reader must see."""


def a_replica_set(session_uid: str, now: datetime, message: str, *, condition: bool) -> Object:
    """Return a session's ReplicaSet that has no pod, with or without saying why."""
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return {
        "metadata": {
            "name": "checkout-6d5f7c9b8",
            "namespace": "staging",
            "uid": f"maker of {session_uid}",
            "labels": {"preview.metalbear.co/session-uid": session_uid},
            "creationTimestamp": moment(now),
        },
        "spec": {"replicas": 1},
        "status": {"replicas": 0, "conditions": [failure] if condition else []},
    }
