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
    """A login; `helper` is who gave it, if a program did.

    Without a login it is the word of a program that has none, though it is named for this very registry:
    `lacking` says so. One may ask as nobody then, and tell it where that does not do.
    """

    login: Credentials | None
    helper: HelperLogin | None = None
    lacking: str = ""


class Logins:
    """Finds logins, the most exact one first."""

    def __init__(self, helpers: Helpers) -> None:
        self._helpers = helpers

    async def of(self, place: Place) -> AsyncIterator[Found]:
        """Yield the logins for a repository.

        Raises LoginBroken where there should be one that cannot be had; of several only at the end, so that
        one of the others may do.
        """
        failed, there = "", False
        without: Found | None = None
        for kept in _kept(place):
            if isinstance(kept, Credentials):
                there = True
                yield Found(kept)
                continue
            try:
                login = await self._helpers.login(kept)
            except HelperFailed as error:
                failed = failed or str(error)
                continue
            if login is not None:
                there = True
                yield Found(login, kept)
            elif not kept.for_all:
                without = without or Found(None, kept, _lacking(kept))
        if failed:
            raise LoginBroken(str(place), status=401, message=failed)
        if without is not None and not there:
            yield without

    def refused(self, helper: HelperLogin | None) -> None:
        """Take note that what a program gave was refused."""
        if helper is not None:
            self._helpers.refused(helper)


def _lacking(asked: HelperLogin) -> str:
    # Amazon's says so of whatever goes wrong, a role without rights as well, and writes the cause elsewhere
    # (https://github.com/awslabs/amazon-ecr-credential-helper#troubleshooting).
    program = f"docker-credential-{asked.helper}"
    return f"the credential helper {program} has no login for {asked.server}; its own log may say why"


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
