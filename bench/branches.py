"""What database branches cost at the API server: calls of a pass's own, with none and with two of them.

    python -m bench.branches [300]

The real Reconciler goes through the life of so many pull requests, over a cluster in memory: opened, pushed
to, copied anew, closed. A copy is ready a pass after it was made. Prints the calls per preview of each step;
watches, which are one per namespace and kind whatever the number, are not among them.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial

from tests.support.passes import CONFIGURATION, A, B, C, World

_BRANCHES = """
    mirrord:
      feature:
        db_branches:
          - {id: "{{ key }}-orders", type: pg, connection: {url: {type: env, variable: ORDERS_URL}}}
          - {id: "{{ key }}-users", type: pg, connection: {url: {type: env, variable: USERS_URL}}}
"""
_MOST_PASSES = 60


def with_branches(configuration: str) -> str:
    """Return a configuration whose first service has two databases of its own."""
    first, _, rest = configuration.partition("    ports: [8080]\n")
    return f"{first}    ports: [8080]\n{_BRANCHES.lstrip(chr(10))}{rest}"


class Costs:
    """Counts what passes ask of the API server, until nothing changes any more."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def of(self, done: Callable[[], bool]) -> Counter[str]:
        """Make passes until it is done; return the calls that they took."""
        world, calls = self._world, Counter[str]()
        for _ in range(_MOST_PASSES):
            await world.run()
            calls["get preview"] += 1
            calls.update(call for call in world.calls.made if _is_of_cluster(call))
            calls.update(world.calls.listed)
            if done():
                return calls
            for branch in world.cluster.branches.values():
                branch["status"]["phase"] = "Ready"
            world.clock.forward(seconds=5)
        raise AssertionError(f"not done after {_MOST_PASSES} passes: {world.status.phase}")


def _is_of_cluster(call: str) -> bool:
    changing = ("create ", "delete ", "patch ", "put ", "apply ", "get ")
    return call.startswith(changing) and call != "create comment"


async def life(configuration: str) -> dict[str, Counter[str]]:
    """Return what each step of a pull request's life asks of the API server."""
    world = World()
    world.cluster.branch_status = {"phase": "Init"}
    world.github.configuration = configuration
    costs, found = Costs(world), dict[str, Counter[str]]()
    found["opened, until the link"] = await costs.of(partial(_serves, world, A))
    world.poke()
    found["a look that changes nothing"] = await costs.of(lambda: True)
    world.push(B)
    found["a push, until it runs"] = await costs.of(partial(_serves, world, B))
    before = {branch["metadata"]["uid"] for branch in world.cluster.branches.values()}
    if before:
        world.say("/preview reset")
        found["/preview reset, until it runs"] = await costs.of(
            lambda: (
                _serves(world, B)
                and not before & {branch["metadata"]["uid"] for branch in world.cluster.branches.values()}
            )
        )
    world.push(C)
    world.close()
    found["closed, until nothing is left"] = await costs.of(lambda: world.cluster.preview is None)
    if world.cluster.branches or world.cluster.sessions:
        raise AssertionError("something is left")
    return found


def _serves(world: World, sha: str) -> bool:
    return world.serving == [sha] and "[Open the preview]" in world.comment and sha[:7] in world.comment


async def main(number: int) -> None:
    """Live so many lives of each kind, and print what one of them costs."""
    kinds = {"none": CONFIGURATION, "two": with_branches(CONFIGURATION)}
    sums = {name: await _summed(number, configuration) for name, configuration in kinds.items()}
    print(f"calls to the API server per preview, of {number} previews each  (branches: none, two)")
    for step in sums["two"]:
        none, two = (sums[name].get(step, Counter[str]()).total() / number for name in kinds)
        print(f"{step:34}  {none:6.1f}  {two:6.1f}")
    totals = [sum(each.total() for each in sums[name].values()) / number for name in kinds]
    print(f"{'the whole life':34}  {totals[0]:6.1f}  {totals[1]:6.1f}")


async def _summed(number: int, configuration: str) -> dict[str, Counter[str]]:
    total: dict[str, Counter[str]] = {}
    for _ in range(number):
        for step, calls in (await life(configuration)).items():
            total.setdefault(step, Counter()).update(calls)
    return total


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
