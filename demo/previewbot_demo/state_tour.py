"""The part of the tour about what previews have of their own: a database, and messages of a queue."""

from __future__ import annotations

from urllib.parse import urlsplit

from previewbot_demo.browser import Browser
from previewbot_demo.walking import Steps, Walker, Wrong

BASKET, OURS, THEIRS = "honey mug mug", "honey, mug, mug", "teapot, sencha"
"""What is ordered in a preview, how it shows, and what others ordered before."""

NEW_NOTE, PUSHED_NOTE = "A handwritten note comes with it", "A handwritten note with a recipe"
OLD_PARCEL, NEW_PARCEL = "Packed in brown paper", "Packed in autumn leaves"


class StateTour(Walker):
    """Steps in the order in which they are written here."""

    def __init__(self, browser: Browser, patience: float) -> None:
        super().__init__(browser, patience)
        self._orders = self._packing = 0

    def about_state(self) -> Steps:
        """Return what can be seen of it in every world."""
        return (
            ("Claude changes the orders: what is ordered in its preview stays there", self.ordered),
            ("a new commit of it keeps what was ordered", self.kept),
            ("`/preview reset` gives it a fresh copy of staging's database", self.reset),
        )

    async def ordered(self) -> None:
        """An order goes into the preview's own copy of the database, in which staging's orders are too."""
        self._orders = await self._browser.start_task("orders")
        link = await self._linked(self._orders)
        await self._shows(link, (THEIRS,), (OURS, NEW_NOTE))
        await self._order(link)
        await self._shows(link, (THEIRS, OURS, NEW_NOTE), ())
        await self._shows(_orders_of(self._browser.shop), (THEIRS,), (OURS, NEW_NOTE))
        if not await self._says(self._orders, "its own copy of orders"):
            raise Wrong("the comment does not say that the preview has its own copy of the database")

    async def kept(self) -> None:
        """The next commit writes otherwise, into the same copy."""
        link, before = self._links[self._orders], (await self._comment(self._orders)).text
        await self._browser.press(self._orders, "push")
        await self._until(
            "the new commit in the comment", lambda: self._another_comment(self._orders, before)
        )
        await self._order(link)
        await self._shows(link, (THEIRS, OURS, NEW_NOTE, PUSHED_NOTE), ())
        await self._shows(_orders_of(self._browser.shop), (THEIRS,), (OURS, NEW_NOTE, PUSHED_NOTE))

    async def reset(self) -> None:
        """A fresh copy has staging's orders, and none of the preview's."""
        await self._command(self._orders, "/preview reset", "rocket")

        async def fresh() -> bool:
            page = await self._browser.open(self._links[self._orders])
            return page.status == 200 and THEIRS in page.text and OURS not in page.text

        await self._until("a fresh copy behind the link", fresh)

    async def _order(self, shop: str) -> None:
        """Order something, as the basket's button does."""
        place = _orders_of(shop)
        answer = await self._browser.submit(place, {"basket": BASKET})
        if (answer.status, answer.location) != (303, "/orders"):
            raise Wrong(f"nothing can be ordered at {place}: {answer.status} {answer.text[-300:]}")

    async def packed(self) -> None:
        """Of a queue each side gets its own messages; the worker's answer shows in the orders."""
        self._packing = await self._browser.start_task("packing")
        link = await self._linked(self._packing)
        await self._order(link)
        await self._until("our parcel", lambda: self._parcel(link, NEW_PARCEL))
        await self._order(self._browser.shop)
        await self._until("staging's parcel", lambda: self._parcel(self._browser.shop, OLD_PARCEL))
        # A worker has no requests of its own: what both orders wrote is in staging's database.
        for parcel in (NEW_PARCEL, OLD_PARCEL):
            page = await self._browser.open(_orders_of(self._browser.shop))
            if page.text.count(parcel) != 1:
                raise Wrong(f"{page.text.count(parcel)} orders, not one, are {parcel.lower()}")

    async def _parcel(self, shop: str, parcel: str) -> bool:
        return parcel in (await self._browser.open(_orders_of(shop))).text


def _orders_of(page: str) -> str:
    """Return where a shop shows its orders and takes them, by the address of any of its pages."""
    return urlsplit(page)._replace(path="/orders", query="").geturl()
