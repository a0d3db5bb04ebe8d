"""What belongs to a preview in the cluster: one module per kind, and what a kind has to say.

A new kind is a module with a `ChildKind` and an entry in `KINDS`. Nothing outside knows a kind by name, but
for `/preview restart`, which replaces sessions alone: gather lists what `resource` names and has it read, the
plan steps what is `desired`, and apply creates and deletes.
"""

from previewbot.reconciler.children.branches import Branches
from previewbot.reconciler.children.kind import ChildKind, Inputs, Route
from previewbot.reconciler.children.routes import Routes
from previewbot.reconciler.children.sessions import Sessions

KINDS: tuple[ChildKind, ...] = (Branches(), Sessions())
"""In the order in which they are made; a kind waits until those before it are ready. Removed in reverse
order."""

ROUTE: Route = Routes()
"""What leads to the sessions. It is applied before anything goes, so that nobody is led to what is gone."""

__all__ = ["KINDS", "ROUTE", "ChildKind", "Inputs", "Route"]
