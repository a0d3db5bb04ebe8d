"""What is wrong with a preview's pods, from what Kubernetes shows of them and says in Events. Pure.

A session does not tell: its pods are never Ready by design (a gate that nobody opens), and once Ready it
stays Ready. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ has the states and reasons.

`find_problem` has what pods show by themselves. Where one is silent (`find_silence`), or there is none at
all, only Events tell: `explain` and `find_refusal`. `merge_problem` keeps what is told steady.
"""

from previewbot.rules.pod_problems.events import (
    cause_from_events,
    explain,
    may_have_a_node_coming,
    with_a_node_coming,
    with_cause,
)
from previewbot.rules.pod_problems.finding import PodFinding, Silence
from previewbot.rules.pod_problems.merging import is_still_so, merge_problem
from previewbot.rules.pod_problems.pods import (
    QUIET_FOR,
    find_last_end,
    find_problem,
    find_silence,
    has_pod,
    is_noteworthy,
    newest_pod,
)
from previewbot.rules.pod_problems.replicas import find_refusal, wanting

__all__ = [
    "QUIET_FOR",
    "PodFinding",
    "Silence",
    "cause_from_events",
    "explain",
    "find_last_end",
    "find_problem",
    "find_refusal",
    "find_silence",
    "has_pod",
    "is_noteworthy",
    "is_still_so",
    "may_have_a_node_coming",
    "merge_problem",
    "newest_pod",
    "wanting",
    "with_a_node_coming",
    "with_cause",
]
