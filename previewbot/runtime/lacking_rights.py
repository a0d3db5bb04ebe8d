"""Says once which permissions and events an installation asks for in vain, and what each of them costs."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from previewbot.api.github import Installation
from previewbot.config.server import Settings
from previewbot.rules.app_rights import lacking_events, lacking_permissions, needed_permissions

log = logging.getLogger(__name__)


class LackingRights:
    """Tells the log what installations have not granted, again only when that changes."""

    def __init__(self, settings: Settings) -> None:
        self._needed = needed_permissions(settings)
        self._said: dict[int, tuple[str, ...]] = {}

    def look(self, installations: Iterable[Installation]) -> None:
        """Say what is lacking; everything else goes on without it.

        An App's owner may ask for more at any time, and whoever installed it has to accept that
        (https://docs.github.com/en/apps/maintaining-github-apps/modifying-a-github-app-registration).
        """
        for installation in installations:
            # GitHub names what is granted with each installation: where it names nothing, nothing is known.
            if not installation.permissions:
                continue
            events = lacking_events(installation.events)
            lacking = (*lacking_permissions(installation.permissions, self._needed), *events)
            if lacking and lacking != self._said.get(installation.id, ()):
                about = {
                    "account": installation.account,
                    "lacking": list(lacking),
                    "accept_at": installation.url,
                }
                log.warning("an installation has not accepted all that previewbot asks for", extra=about)
            self._said[installation.id] = lacking
