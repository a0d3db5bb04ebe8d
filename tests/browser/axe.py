"""axe over a page: every rule that it has, also those off by default.

https://github.com/dequelabs/axe-core
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tests.support.chromium import DESKTOP, SMALL_PHONE, Page

_LOOKS = [(size, dark) for size in (SMALL_PHONE, DESKTOP) for dark in (False, True)]
_RUN = """
(async () => {
  const rules = Object.fromEntries(axe.getRules().map((rule) => [rule.ruleId, { enabled: true }]));
  const found = await axe.run(document, { rules, resultTypes: ["violations"] });
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.html.slice(0, 200)} (${node.failureSummary.replace(/\\s+/g, " ")})`));
})()
"""
_RULES = "axe.getRules().map((rule) => rule.ruleId)"


@cache
def script() -> str:
    """Return axe itself; the package around it is never imported, as it wants a browser of its own."""
    try:
        package = distribution("axe-playwright-python")
    except PackageNotFoundError:
        raise AssertionError("axe is not installed: `make browser-test` installs it") from None
    return Path(str(package.locate_file("axe_playwright_python/axe.min.js"))).read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """Return each place that violates a rule, with the rule and what is wrong there."""
    await _bring(page)
    return [str(each) for each in await page.evaluate(_RUN)]


async def rules(page: Page) -> list[str]:
    """Return the names of axe's rules."""
    await _bring(page)
    return [str(each) for each in await page.evaluate(_RULES)]


async def _bring(page: Page) -> None:
    # By the DevTools, for which a page's own policy does not hold: the page stays as people get it.
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(f"(0, eval)({json.dumps(script())}); true")


async def violations_in_every_look(page: Page) -> dict[str, list[tuple[int, str]]]:
    """Return what is wrong with a page whose folds are all open, and in which looks: how wide, how dark."""
    found: dict[str, list[tuple[int, str]]] = {}
    await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    for size, dark in _LOOKS:
        await page.resize(size)
        await page.colours(dark)
        for each in await violations(page):
            found.setdefault(each, []).append((size.width, "dark" if dark else "light"))
    return found
