"""Everything that a pass asks: GitHub, the registry, CI, targets, the cluster's children, pods. Decides
nothing."""

from previewbot.reconciler.gather.gathering import gather, gather_removal
from previewbot.reconciler.gather.pull_request import Gone, Suspended

__all__ = ["Gone", "Suspended", "gather", "gather_removal"]
