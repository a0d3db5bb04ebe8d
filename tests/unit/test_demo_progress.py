"""What the terminal shows while the demo starts."""

from __future__ import annotations

import asyncio
import io

from previewbot_demo.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_in_a_file_each_step_is_one_line_once_it_is_done() -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        progress.begins("the shop")
        await asyncio.sleep(0)
        progress.done("the shop", 1.25)

    assert out.getvalue() == "   1.25 s  the shop\n"


async def test_in_a_terminal_the_step_under_way_is_shown_and_then_replaced() -> None:
    out = Terminal()
    with Progress(out) as progress:
        progress.begins("the shop")
        await asyncio.sleep(0)
        assert out.getvalue() == "\r\x1b[K    0.0 s  the shop …"
        progress.done("the shop", 1.25)

    assert out.getvalue().endswith("\r\x1b[K   1.25 s  the shop\n")


async def test_a_fault_in_between_leaves_no_half_line() -> None:
    out = Terminal()
    with Progress(out) as progress:
        progress.begins("the shop")
        await asyncio.sleep(0)

    assert out.getvalue().endswith("the shop …\n")


async def test_a_line_that_counts_is_never_wider_than_a_terminal() -> None:
    out = Terminal()
    with Progress(out) as progress:
        progress.begins("x" * 200)
        await asyncio.sleep(0)
        shown = out.getvalue().removeprefix("\r\x1b[K")

    assert len(shown) <= 79
