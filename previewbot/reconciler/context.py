"""What passes work with: the adapters, the settings and the clock, all given from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from previewbot.api import Preview
from previewbot.clients.github import GitHub, InstallationClient
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.links import Links
from previewbot.clients.pictures import Album
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.engine.operator import OperatorSeen, nobody_asked
from previewbot.reconciler.children import ChildKind, Route
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.links_being_asked import LinksBeingAsked
from previewbot.reconciler.memory import Memory
from previewbot.reconciler.pictures_asked import PicturesAsked
from previewbot.reconciler.plan.presses import is_press
from previewbot.rules.slot_limits import SlotLimitsOf
from previewbot.rules.slots import SlotGrant, Slots
from previewbot.text.render import Renderer


@dataclass(frozen=True)
class Context:
    """What every pass works with.

    `pods` has the pods of a session, by its namespace and uid, as a watch last told; `operator` is what the
    last poll knew of mirrord's operator. `wrote` takes what we wrote into the cache, so that the cache is
    never behind our own writes. `asked_elsewhere` has the requests of a Preview, by its name, as a watch last
    told. `guard_keys` returns what bearers past the guard are signed with, and raises SettingsError.
    `previews` gives the very same tuple where nothing changed. `pictures` is the worker that takes some, None
    where there is none.
    """

    kube: Kube
    github: GitHub
    registry: Registry
    links: Links
    renderer: Renderer
    settings: Settings
    now: Callable[[], datetime]
    previews: Callable[[], Sequence[Preview]]
    pods: Callable[[str, str], Sequence[Mapping[str, Any]]]
    # Our own writes race with the watch that tells of them; `ObjectCache` keeps whichever is newer.
    wrote: Callable[[Mapping[str, Any]], None]
    kinds: Sequence[ChildKind]
    route: Route
    memory: Memory
    operator: Callable[[], OperatorSeen] = nobody_asked
    asked_elsewhere: Callable[[str], Sequence[Mapping[str, Any]]] = lambda preview: ()
    guard_keys: Callable[[], tuple[bytes, ...]] = tuple
    links_being_asked: LinksBeingAsked = field(default_factory=LinksBeingAsked)
    pictures: Album | None = None
    pictures_asked: PicturesAsked = field(default_factory=PicturesAsked)

    def client_for(self, preview: Preview, installation_id: int | None = None) -> InstallationClient:
        """Return the client with which GitHub is asked about a Preview; another installation's if given.

        Of what is left of the hour's requests the last fifth is for those that have sessions, or hold a slot
        for them, and for members' commands with their answers. Else whoever opens pull requests could use up
        all of it. Half of that fifth is for agents' pull requests too: whoever makes them one, by its account
        or in a branch of the repository itself, is no stranger.
        """
        client = self.github.installation(installation_id or preview.spec.installation_id)
        status = preview.status
        # An answer to somebody who may not ask for anything names no command.
        answers = any(reply.command and not is_press(reply) for reply in status.replies)
        matters = status.slot.held or preview.asked_by_member or answers
        if matters:
            return client
        agents = status.observed.agent is not None or preview.name in self.memory.of_agents
        return client.for_agents() if agents else client.sparing()

    def slot_for(self, preview: Preview) -> SlotGrant:
        """Return whether a preview gets a slot, as far as is known of all others."""
        return self._slots.grant(preview, self.previews(), self.now())

    def gives_way(self, preview: Preview) -> bool:
        """Return whether a preview that sleeps gives its slot to one that waits, as far as is known."""
        return self._slots.gives_way(preview, self.previews(), self.now())

    def giving_way(self) -> set[str]:
        """Return the names of those that sleep and give their slots to others."""
        return self._slots.giving_way(self.previews(), self.now())

    def first_in_line(self, freed: Iterable[Preview]) -> set[str]:
        """Return the names of those to whom it matters that the line for slots moved, or one was `freed`."""
        return self._slots.first_in_line(self.previews(), self.now(), freed)

    @cached_property
    def _slots(self) -> Slots:
        return Slots(SlotLimitsOf(self.settings))

    def forget(self, name: str) -> None:
        """Forget a Preview that is gone."""
        self.memory.forget(name)
        self.links_being_asked.forget(name)
        self.pictures_asked.forget(name)

    @property
    def limits(self) -> Limits:
        """What the settings say about time, and where links go."""
        return Limits.of(self.settings)
