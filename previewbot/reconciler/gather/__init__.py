"""Everything that a pass asks: GitHub, the registry, CI, targets, the cluster's children, pods. Decides
nothing."""

from previewbot.reconciler.gather.gathering import gather, gather_removal
from previewbot.reconciler.gather.github import Gone

__all__ = ["Gone", "gather", "gather_removal"]
