"""Lives through a day of an organisation of each size, and prints what it cost.

python -m bench.organisation [--hours 24] [--begin 0] [200 2000 20000]
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import mean

from bench.organisation.day import BUDGET, Day, live_through
from bench.organisation.ledger import AS_THE_APP, KINDS, POINTS, REFUSED, UNCHANGED, percentile
from bench.organisation.people import Town

_MOST_PREVIEWS = 300
_PREVIEWS_SHARE = 0.15


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.organisation", description=__doc__)
    parser.add_argument("repositories", nargs="*", type=int, default=[200, 2_000, 20_000])
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--begin", type=int, default=0, help="the hour of the day at which it begins")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--paths", action="store_true", help="also what was asked for most")
    arguments = parser.parse_args()
    days = [_day(size, arguments) for size in arguments.repositories]
    print(table(days))
    if arguments.paths:
        for day in days:
            print()
            for (kind, path), number in day.ledger.paths.most_common(40):
                print(f"{number / day.town.hours:10.1f}  {kind:16} {path}")


def _day(size: int, arguments: argparse.Namespace) -> Day:
    previews = min(_MOST_PREVIEWS, max(5, int(size * _PREVIEWS_SHARE)))
    began = time.monotonic()

    def progress(words: str) -> None:
        print(f"\r  {size} repositories: {words:60}", end="", file=sys.stderr, flush=True)

    day = live_through(
        Town(size, previews, hours=arguments.hours, begin=arguments.begin, seed=arguments.seed), progress
    )
    print(f" in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return day


def table(days: list[Day]) -> str:
    """Return the figures: a row for each, a column for each size."""
    rows: list[tuple[str, list[str]]] = [
        ("repositories", [f"{day.town.repositories:,}" for day in days]),
        ("open pull requests", [f"{day.open:,}" for day in days]),
        ("live previews", [f"{day.live:,}" for day in days]),
    ]
    for kind in (*KINDS, UNCHANGED, AS_THE_APP, POINTS, REFUSED):
        rows.append((f"{kind}, an hour", [_mean(day.ledger.hours_of(kind, day.town.hours)) for day in days]))
    rest = [day.ledger.rest(day.town.hours) for day in days]
    points = [day.ledger.hours_of(POINTS, day.town.hours) for day in days]
    rows += [
        ("REST that counts, an hour", [_mean(hours) for hours in rest]),
        ("REST, the fullest hour", [f"{max(hours):,}" for hours in rest]),
        (
            "… of the installation's hour",
            [_share(max(h), day.limit) for h, day in zip(rest, days, strict=True)],
        ),
        (f"… of {BUDGET:,}", [_share(max(hours), BUDGET) for hours in rest]),
        ("GraphQL points, the fullest hour", [f"{max(hours):,}" for hours in points]),
        (f"… of {BUDGET:,} points", [_share(max(hours), BUDGET) for hours in points]),
        ("a restart: counted requests", [_restart(day, *KINDS) for day in days]),
        ("a restart: GraphQL points", [_restart(day, POINTS) for day in days]),
        ("a restart: writes to the API server", [_restart(day, "API writes") for day in days]),
        ("writes to the API server, an hour", [_mean(day.ledger.writes(day.town.hours)) for day in days]),
        ("webhooks lost that mattered", [f"{len(day.ledger.waits):,}" for day in days]),
        ("lost → found, p50", [_minutes(percentile(day.ledger.waits, 0.5)) for day in days]),
        ("lost → found, p99", [_minutes(percentile(day.ledger.waits, 0.99)) for day in days]),
        ("never found", [f"{day.lost:,}" for day in days]),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}" + "".join(f"{cell:>12}" for cell in cells) for name, cells in rows)


def _mean(hours: list[int]) -> str:
    return f"{mean(hours):,.0f}"


def _share(number: int, of: int) -> str:
    return f"{number / of:.0%}"


def _restart(day: Day, *kinds: str) -> str:
    restarts = max(1, len(day.ledger.restarts) - 1)
    return f"{sum(day.ledger.after_restart[kind] for kind in kinds) / restarts:,.0f}"


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02} min"


if __name__ == "__main__":
    main()
