"""One pass over one pull request: gather → plan → store → apply → report → requeue."""

from previewbot.reconciler.listing_memory import OfAgents, Untriggered
from previewbot.reconciler.memory import Memory
from previewbot.reconciler.plan.requeue import Outcome
from previewbot.reconciler.reconciler import Reconciler

__all__ = ["Memory", "OfAgents", "Outcome", "Reconciler", "Untriggered"]
