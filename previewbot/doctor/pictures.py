"""Asks the worker of pictures how it stands, with the secret that it shares: nothing is changed by that."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from previewbot.clients.pictures import PicturesClient, UnknownName
from previewbot.doctor import pictures_judged as judged
from previewbot.doctor.check import Check, not_checked
from previewbot.doctor.running import Question
from previewbot.errors import RemoteError, TryLater, Unauthorized


class OfPictures:
    """The question to the worker at `url`; `token` is None where the secret is not here, or of no use."""

    def __init__(self, url: str, token: bytes | None, user_agent: str) -> None:
        self._url, self._token, self._user_agent = url, token, user_agent

    def questions(self) -> list[Question]:
        """Return it, as the only one."""
        return [Question(judged.WORKER, self._ask)]

    async def _ask(self) -> Sequence[Check]:
        token, url = self._token, self._url
        if token is None:
            return [not_checked(judged.WORKER, f"because of {judged.FILE}")]
        try:
            health = await PicturesClient(url, lambda: token, user_agent=self._user_agent).health()
        except UnknownName:
            return [judged.unknown_name(url)]
        except Unauthorized:
            return [judged.another_secret(url)]
        except TryLater as error:
            if error.status:
                return [judged.in_trouble(url, error.status)]
            return [judged.no_answer(url, error.message)]
        except RemoteError as error:
            return [judged.another(url, str(error.status))]
        if health is None:
            return [judged.another(url, "its answer is none of the worker's")]
        return judged.stands(url, health, version("previewbot"))
