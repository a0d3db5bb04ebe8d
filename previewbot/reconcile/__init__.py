"""One pass over one pull request: observe, plan, act in order, report.

A pass reads the truth, computes what should be, and moves the world one step nearer. Run twice, it does
nothing the second time.
"""

from previewbot.reconcile.memory import Memory, Untriggered
from previewbot.reconcile.outcome import Outcome
from previewbot.reconcile.reconciler import Reconciler

__all__ = ["Memory", "Outcome", "Reconciler", "Untriggered"]
