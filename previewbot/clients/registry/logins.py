"""The logins for a repository, wherever they are kept: a docker config file, or a program that gives them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from previewbot.clients.registry.access import Place
from previewbot.clients.registry.credentials import Credentials, HelperLogin, Login, helper_login, logins_for
from previewbot.clients.registry.helpers import HelperFailed, Helpers
from previewbot.clients.registry.problems import LoginBroken


@dataclass(frozen=True)
class Found:
    """A login; `helper` is who gave it, if a program did."""

    login: Credentials
    helper: HelperLogin | None = None


class Logins:
    """Finds logins, the most exact one first."""

    def __init__(self, helpers: Helpers) -> None:
        self._helpers = helpers

    async def of(self, place: Place) -> AsyncIterator[Found]:
        """Yield the logins for a repository.

        Raises LoginBroken where there should be one that cannot be had; of several only at the end, so that
        one of the others may do.
        """
        failed = ""
        for kept in _kept(place):
            if isinstance(kept, Credentials):
                yield Found(kept)
                continue
            try:
                login = await self._helpers.login(kept)
            except HelperFailed as error:
                failed = failed or str(error)
                continue
            if login is not None:
                yield Found(login, kept)
        if failed:
            raise LoginBroken(str(place), status=401, message=failed)

    def refused(self, helper: HelperLogin | None) -> None:
        """Take note that what a program gave was refused."""
        if helper is not None:
            self._helpers.refused(helper)


def _kept(place: Place) -> tuple[Login, ...]:
    access, path = place.access, place.access.docker_config_file
    try:
        named = access.credential_helper
        first = (helper_login(named, place.registry),) if named else ()
        # By the name that images have, as nodes look for it; else by the host that is asked.
        found = logins_for(place.registry, place.repository, path)
        if not found and access.address:
            found = logins_for(access.address, place.repository, path)
    except ValueError as error:
        raise LoginBroken(str(place), status=401, message=str(error)) from error
    return (*first, *found)
