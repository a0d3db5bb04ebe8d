"""One Chromium for each file of tests.

Without one they fail: a page that nobody looked at is not known to be right.

`make browser-test` runs these, and `make node-test`, which installs Chromium where there is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.browser.site import Site, site
from tests.support.chromium import Chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    """A running Chromium; raises `NoChromium`, which says what to do."""
    async with Chromium.start() as running:
        yield running


@pytest.fixture(scope="module")
def public() -> Iterator[Site]:
    """Where pages are public."""
    with site() as found:
        yield found


@pytest.fixture(scope="module")
def private() -> Iterator[Site]:
    """Where pages are private."""
    with site("private") as found:
        yield found
