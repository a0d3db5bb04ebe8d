"""Pins the image that the Dockerfile builds on by the digest that its tag names now: `make refresh-base`.

Asked with previewbot's own client for registries, within its limits of time and size.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from previewbot.clients.outgoing import client_session
from previewbot.clients.registry import Registry
from previewbot.config.server import RegistrySettings
from previewbot.errors import RemoteError
from previewbot.rules.images import parse_reference
from supply.dockerfile import DOCKERFILE, Base, base_of, with_digest

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)


async def current_digest(base: Base, *, plain_http: bool = False) -> str:
    """Return the digest that the tag names: of the index, where there are images for several processors.

    Raises RemoteError if the registry does not say, and LookupError if there is no such tag.
    """
    reference = parse_reference(f"{base.name}:{base.tag}")
    access = {reference.registry: RegistrySettings(plain_http=plain_http)}
    async with client_session(_TIMEOUT) as session:
        # With the commit that the image was built from, though nobody needs it: to find it the content is
        # read and compared with its digest, so that nothing is pinned that the registry cannot give.
        found = await Registry(session, access).find(reference, revision=True)
    if found is None:
        raise LookupError(f"the registry has no {base.name}:{base.tag}")
    return found.digest


def main(arguments: Sequence[str]) -> int:
    """Rewrite the line of the Dockerfile; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m supply.refresh_base", description=main.__doc__)
    parser.add_argument("--dockerfile", type=Path, default=DOCKERFILE, metavar="FILE")
    parser.add_argument("--plain-http", action="store_true", help="for a registry without TLS")
    options = parser.parse_args(arguments)
    text = options.dockerfile.read_text("utf-8")
    base = base_of(text)
    try:
        digest = asyncio.run(current_digest(base, plain_http=options.plain_http))
    except (RemoteError, LookupError) as error:
        print(f"{base.name}:{base.tag} stays as it is: {error}", file=sys.stderr)
        return 1
    if digest == base.digest:
        print(f"{base} is what its tag names")
        return 0
    options.dockerfile.write_text(with_digest(text, digest), "utf-8")
    print(f"{base.name}:{base.tag} was {base.digest or 'not pinned'}, is {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
