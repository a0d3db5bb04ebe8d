"""Asks at public_url whether previewbot's web and pages are there; what is sent has no effect."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import aiohttp

from previewbot.clients.answers import MOST_OF_A_REFUSAL, beginning
from previewbot.config.server import Settings
from previewbot.doctor import web_judged as judged
from previewbot.doctor.check import Check
from previewbot.doctor.github_judged import HOOK
from previewbot.doctor.running import Question
from previewbot.rules.guard_refusals import ENTER

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_PING = b'{"zen": "previewbot doctor"}'
"""A ping, which web answers and forgets (https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping)."""


class OfWeb:
    """The questions to public_url; what is for web is signed with the first of `secrets`, if there is one."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, secrets: Sequence[bytes]) -> None:
        self._session, self._secrets = session, secrets
        self._url = f"{settings.public_url.rstrip('/')}/webhook"
        # It says the same to everybody, whatever the settings.
        self._pages = f"{settings.public_url.rstrip('/')}/openapi.json"
        # Without an address of a preview it is no page of ours, and says so, whoever asks.
        self._enter = f"{settings.public_url.rstrip('/')}{ENTER}" if settings.guarded is not None else ""

    def questions(self) -> list[Question]:
        """Return them."""
        # Where GitHub sends webhooks elsewhere, one of the two addresses is wrong: that is told already.
        return [
            Question(judged.WEB, self._answers, follows=(HOOK,)),
            Question(judged.PAGES, self._shows, follows=(judged.WEB, HOOK)),
        ]

    async def _shows(self) -> list[Check]:
        headers = {"Accept": "application/json", "User-Agent": "previewbot-doctor"}
        try:
            async with self._session.get(
                self._pages, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                body, _ = await beginning(answer, MOST_OF_A_REFUSAL)
                text, web = body.decode("utf-8", "replace"), judged.is_webs(answer.headers)
                found = [judged.shown(self._pages, answer.status, text, is_webs=web)]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return [judged.no_pages(self._pages, str(error) or type(error).__name__)]
        return [*found, *await self._leads_in()]

    async def _leads_in(self) -> list[Check]:
        if not self._enter:
            return []
        headers = {"Accept": "text/html", "User-Agent": "previewbot-doctor"}
        try:
            async with self._session.get(
                self._enter, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                return [judged.leads_in(self._enter, answer.status, is_pages=judged.is_pages(answer.headers))]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return [judged.no_pages(self._enter, str(error) or type(error).__name__)]

    async def _answers(self) -> list[Check]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "previewbot-doctor",
            "X-GitHub-Event": "ping",
            "X-GitHub-Delivery": "previewbot-doctor",
        }
        for secret in self._secrets[:1]:
            headers["X-Hub-Signature-256"] = f"sha256={hmac.new(secret, _PING, hashlib.sha256).hexdigest()}"
        try:
            # A signed body must not be led elsewhere: GitHub follows no redirect either.
            async with self._session.post(
                self._url, data=_PING, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                body, _ = await beginning(answer, MOST_OF_A_REFUSAL)
                text = body.decode("utf-8", "replace")
                return [judged.answered(self._url, answer.status, text, signed=bool(self._secrets))]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return [judged.unreachable(self._url, str(error) or type(error).__name__)]
