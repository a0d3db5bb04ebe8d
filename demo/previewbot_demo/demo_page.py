"""The page that the demo opens with, as the tour sees it over HTTP."""

from __future__ import annotations

import json
import re

from previewbot_demo import guide
from previewbot_demo.browser import Browser
from previewbot_demo.hosts import SPLIT_VIEW
from previewbot_demo.walking import Wrong


class DemoPage:
    """What is asked of the page; `look` has to be called while there is something to see."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    async def shows(self) -> None:
        """Pull request, staging and preview have a place each, and so has what to try next."""
        page = await self._browser.open(f"{self._browser.world}/")
        for place in ("pull-frame", "staging-frame", "preview-frame", "steps"):
            if page.status != 200 or f'id="{place}"' not in page.text:
                raise Wrong(f"the demo's page has no {place}: it answers {page.status}")
        if "Stand-ins" not in page.text:
            raise Wrong("the demo's page does not say what is a stand-in")
        if "script-src 'self';" not in page.policy:
            raise Wrong(f"the demo's page runs scripts of others, too: {page.policy or 'it has no policy'}")
        if re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text):
            raise Wrong("the demo's page has a script or style inside, which its policy refuses")
        for part in re.findall(r'(?:src|href)="(/[^"]*)"', page.text):
            answer = await self._browser.open(self._browser.world + part)
            if answer.status != 200:
                raise Wrong(f"the demo's page needs {part}, which answers {answer.status}")

    async def look(self) -> frozenset[str]:
        """Ask for what is done by now, as the page does each second."""
        page = await self._browser.open(f"{self._browser.world}{SPLIT_VIEW}/state")
        if page.status != 200:
            raise Wrong(f"the demo's page gets no news: {page.status}")
        return frozenset(json.loads(page.text)["done"])

    async def ticked(self) -> None:
        """All that there is to try was done, and is ticked off."""
        left = [step.name for step in guide.STEPS if step.name not in await self.look()]
        if left:
            raise Wrong(f"the demo's page has not ticked off: {', '.join(left)}")
