"""Where a preview is told of: one module per place, and generic code that knows none of them.

A new place is a module with a `Reporter` and an entry below. One that keeps something up to date, a text or
the state of each commit, is a `KeptReporter`: it says its name, what is `wanted`, and how to `write`; its
state are entries in `status.reports`. No reporter holds up another, or a teardown.
"""

from previewbot.reconciler.reporters.answers import Answers
from previewbot.reconciler.reporters.check_run import CheckRun
from previewbot.reconciler.reporters.deployments import Deployments
from previewbot.reconciler.reporters.kept import KeptReporter
from previewbot.reconciler.reporters.kubernetes_events import KubernetesEvents
from previewbot.reconciler.reporters.notices import Notice
from previewbot.reconciler.reporters.quotations import Quotations
from previewbot.reconciler.reporters.reporter import Reporter
from previewbot.reconciler.reporters.reporting import Reporting
from previewbot.reconciler.reporters.status_comment import StatusComment
from previewbot.reconciler.reporters.verdict_check import VerdictCheck

GITHUB_REPORTERS: tuple[Reporter, ...] = (
    StatusComment(),
    Answers(),
    Quotations(),
    Notice("ready"),
    Notice("failed"),
    CheckRun(),
    VerdictCheck(),
    Deployments(),
)
"""Those who tell people on GitHub, which may be slow, or away."""

CLUSTER_REPORTERS: tuple[Reporter, ...] = (KubernetesEvents(),)
"""Those who tell in the cluster, in every pass."""

__all__ = ["CLUSTER_REPORTERS", "GITHUB_REPORTERS", "KeptReporter", "Reporter", "Reporting"]
