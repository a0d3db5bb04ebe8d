"""Runs the sieges that are named, or all, and prints each row when it is known."""

from __future__ import annotations

import asyncio
import sys

from bench.siege import commands, door, words


async def _door() -> None:
    print(door.HEADER)
    for attack in door.ATTACKS:
        print((await door.measure(attack)).line(), flush=True)


async def _words() -> None:
    print(words.HEADER)
    for attack in words.ATTACKS:
        print((await words.measure(attack)).line(), flush=True)


async def _commands() -> None:
    print(commands.HEADER)
    for attack in commands.ATTACKS:
        print((await commands.measure(attack)).line(), flush=True)


async def main(names: list[str]) -> None:
    """Run them one after the other."""
    sieges = {"door": _door, "words": _words, "commands": _commands}
    for name in names or list(sieges):
        await sieges[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
