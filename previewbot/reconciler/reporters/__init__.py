"""Where a preview is told of: one module per place, and generic code that knows none of them.

A new place is a module with a `Reporter` and an entry below. One that keeps a text up to date is a
`TextReporter`: it says its name, what to `render`, and how to `write`; its state is an entry in
`status.reports`. No reporter holds up another, or a teardown.
"""

from previewbot.reconciler.reporters.answers import Answers
from previewbot.reconciler.reporters.kubernetes_events import KubernetesEvents
from previewbot.reconciler.reporters.notices import Notice
from previewbot.reconciler.reporters.reporter import Reporter, TextReporter
from previewbot.reconciler.reporters.reporting import Reporting
from previewbot.reconciler.reporters.status_comment import StatusComment

GITHUB_REPORTERS: tuple[Reporter, ...] = (StatusComment(), Answers(), Notice("ready"), Notice("failed"))
"""Those who tell people on GitHub, which may be slow, or away."""

CLUSTER_REPORTERS: tuple[Reporter, ...] = (KubernetesEvents(),)
"""Those who tell in the cluster, in every pass."""

__all__ = ["CLUSTER_REPORTERS", "GITHUB_REPORTERS", "Reporter", "Reporting", "TextReporter"]
