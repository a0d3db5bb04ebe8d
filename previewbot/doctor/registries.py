"""Asks the registries: does each answer and take our login, and does it show what repositories name?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from previewbot.api import Reason
from previewbot.clients.registry import Registry, RepositoryUnknown, reason_of
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, listed, not_checked, note, ok, safe, wrong
from previewbot.doctor.repositories import Named, image_of
from previewbot.doctor.repositories_judged import REPOSITORIES
from previewbot.doctor.running import Question
from previewbot.errors import RemoteError
from previewbot.rules.images import ImageReference, parse_reference

_SECONDS = 60.0
_MOST_LOOKED_AT = 10
_SHOWN = 4


class OfRegistries:
    """The questions to registries; `services` gives what repositories name, once that was read.

    `before` says what is to be asked before an address.
    """

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        services: Callable[[], Sequence[Named]],
        before: Callable[[str], tuple[str, ...]] = lambda url: (),
    ) -> None:
        self._registry, self._settings, self._services = registry, settings, services
        self._before = before

    def questions(self) -> list[Question]:
        """Return them: one for each registry that images may come from."""
        return [
            Question(
                _name(host),
                partial(self._asked, host),
                after=self._before(url_of(host)),
                awaits=(REPOSITORIES,),
                seconds=_SECONDS,
            )
            for host in hosts(self._settings)
        ]

    async def _asked(self, host: str) -> list[Check]:
        try:
            answered = await self._registry.check(host)
        except RemoteError as error:
            return [_refused(host, error)]
        who = f"as {answered.user}" if answered.user else "without a login"
        checks = [ok(_name(host), f"it answers at {answered.address}, {who}")]
        named = {str(one): one for one in self._images(host)}
        if not named:
            return [
                *checks,
                not_checked(f"images in {host}", "no repository's file was found that names one"),
            ]
        return [*checks, *await self._looked_at(host, [*named.values()][:_MOST_LOOKED_AT])]

    async def _looked_at(self, host: str, references: Sequence[ImageReference]) -> list[Check]:
        """Look at images. What is wrong with several is mostly one thing: it is told once."""
        checks: list[Check] = []
        refused: dict[Reason, list[tuple[str, RemoteError]]] = {}
        for reference in references:
            name = f"{reference.registry}/{reference.repository}"
            try:
                checks.append(await self._looked(host, reference, f"images {name}"))
            except RemoteError as error:
                refused.setdefault(reason_of(error), []).append((name, error))
        for found in refused.values():
            names = listed([name for name, _ in found], _SHOWN)
            checks.append(_refused(host, found[0][1], f"images {names}"))
        return checks

    def _images(self, host: str) -> list[ImageReference]:
        found = [parse_reference(image_of(named.config)) for named in self._services()]
        return [reference for reference in found if reference.registry == host]

    async def _looked(self, host: str, reference: ImageReference, name: str) -> Check:
        try:
            await self._registry.find(reference)
        except RepositoryUnknown as error:
            words = f"{host} knows no such repository yet, or shows it to others only ({safe(error.message)})"
            return note(name, words)
        return ok(name, "the registry lets us look")


def hosts(settings: Settings) -> list[str]:
    """Return the registries that images may come from, by the names that images have."""
    prefixes = (f"{prefix.rstrip('/')}/x" for prefix in settings.images.allowed)
    return [*dict.fromkeys(parse_reference(prefix).registry for prefix in prefixes)]


def url_of(host: str) -> str:
    """Return where a registry is asked, for whoever wants to know the way there."""
    return f"https://{host}/"


def _name(host: str) -> str:
    return f"the registry {host}"


def _refused(host: str, error: RemoteError, name: str = "") -> Check:
    words = (
        f"{reason_of(error).info.meaning} ({safe(str(error))}): see images.registries.{host} in "
        "docs/settings.md, and whether this pod may go out to it (NetworkPolicy, HTTPS_PROXY)"
    )
    return wrong(name or _name(host), words)
