"""Acts on the cluster in order: the route, deletions, creations.

A child that serves outlasts its route: a gateway follows a route a moment after it changed, and a session
that went in that moment would leave plain staging behind the link, the one thing that a link must never show.
"""

from previewbot.reconciler.apply.children import ApplyResult, apply_actions
from previewbot.reconciler.apply.route import RouteResult, apply_route, is_refusal

__all__ = ["ApplyResult", "RouteResult", "apply_actions", "apply_route", "is_refusal"]
