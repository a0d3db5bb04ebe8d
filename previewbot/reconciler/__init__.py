"""One pass over one pull request: gather → plan → store → apply → report → requeue."""

from previewbot.reconciler.controller import Reconciler
from previewbot.reconciler.memory import Memory, Untriggered
from previewbot.reconciler.plan.requeue import Outcome

__all__ = ["Memory", "Outcome", "Reconciler", "Untriggered"]
