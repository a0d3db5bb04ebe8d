"""Lives through a day of an organisation of each size, and prints what it cost.

python -m bench.organisation [--hours 24] [--begin 0] [--places all] [200 2000 20000]
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import mean

from bench.organisation.day import PLACES, Day, live_through
from bench.organisation.ledger import (
    A_MINUTE,
    A_MINUTE_OF_GRAPHQL,
    AS_THE_APP,
    CONTENT,
    KINDS,
    POINTS,
    REFUSED,
    UNCHANGED,
    percentile,
)
from bench.organisation.people import Town
from previewbot_demo.github.charges import (
    CONTENT_A_MINUTE,
    CONTENT_AN_HOUR,
    GRAPHQL_A_MINUTE,
    POINTS_A_MINUTE,
)

_MOST_PREVIEWS = 300
_PREVIEWS_SHARE = 0.15


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.organisation", description=__doc__)
    parser.add_argument("repositories", nargs="*", type=int, default=[200, 2_000, 20_000])
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--begin", type=int, default=0, help="the hour of the day at which it begins")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument(
        "--places", choices=[*PLACES, "all"], default="all", help="where previews are told of"
    )
    parser.add_argument("--waiting", action="store_true", help="all previews wait: CI builds nothing")
    parser.add_argument("--previews", type=int, help="so many, whatever the size")
    parser.add_argument("--paths", action="store_true", help="also what was asked for most")
    arguments = parser.parse_args()
    ways = list(PLACES) if arguments.places == "all" else [arguments.places]
    days = [_day(size, places, arguments) for size in arguments.repositories for places in ways]
    print(table(days))
    if arguments.paths:
        for day in days:
            print()
            for (kind, path), number in day.ledger.paths.most_common(40):
                print(f"{number / day.town.hours:10.1f}  {kind:16} {path}")


def _day(size: int, places: str, arguments: argparse.Namespace) -> Day:
    previews = arguments.previews or min(_MOST_PREVIEWS, max(5, int(size * _PREVIEWS_SHARE)))
    began = time.monotonic()

    def progress(words: str) -> None:
        print(f"\r  {size} repositories, {places}: {words:60}", end="", file=sys.stderr, flush=True)

    day = live_through(
        Town(
            size,
            previews,
            hours=arguments.hours,
            begin=arguments.begin,
            seed=arguments.seed,
            waiting=arguments.waiting,
        ),
        progress,
        places,
    )
    print(f" in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return day


def table(days: list[Day]) -> str:
    """Return the figures: a row for each, a column for each size and place."""
    rows: list[tuple[str, list[str]]] = [
        ("", [day.places for day in days]),
        ("repositories", [f"{day.town.repositories:,}" for day in days]),
        ("open pull requests", [f"{day.open:,}" for day in days]),
        ("live previews", [f"{day.live:,}" for day in days]),
    ]
    for kind in (*KINDS, UNCHANGED, AS_THE_APP, POINTS, CONTENT, REFUSED):
        rows.append((f"{kind}, an hour", [_mean(day.ledger.hours_of(kind, day.town.hours)) for day in days]))
    rows += [*_limits(days), *_restarts(days), *_found(days)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}" + "".join(f"{cell:>20}" for cell in cells) for name, cells in rows)


def _limits(days: list[Day]) -> list[tuple[str, list[str]]]:
    """Return what each limit of GitHub's leaves: of the fullest hour, and of the fullest minute."""
    hours = {
        "REST that counts": [(max(day.ledger.rest(day.town.hours)), day.limit) for day in days],
        "GraphQL points": [(max(day.ledger.hours_of(POINTS, day.town.hours)), day.points) for day in days],
        CONTENT: [(max(day.ledger.hours_of(CONTENT, day.town.hours)), CONTENT_AN_HOUR) for day in days],
    }
    minutes = {CONTENT: CONTENT_A_MINUTE, A_MINUTE: POINTS_A_MINUTE, A_MINUTE_OF_GRAPHQL: GRAPHQL_A_MINUTE}
    rows = [
        ("REST that counts, an hour", [_mean(day.ledger.rest(day.town.hours)) for day in days]),
        ("the installation's hour", [f"{day.limit:,}" for day in days]),
    ]
    for name, fullest in hours.items():
        rows.append((f"{name}, the fullest hour", [_of(number, limit) for number, limit in fullest]))
    for name, limit in minutes.items():
        rows.append(
            (f"{name}, the fullest minute", [_of(day.ledger.fullest_minute(name), limit) for day in days])
        )
    whys = sorted({why for day in days for why in day.ledger.refused})
    rows += [(f"refused: {why}", [f"{day.ledger.refused[why]:,}" for day in days]) for why in whys]
    return rows


def _restarts(days: list[Day]) -> list[tuple[str, list[str]]]:
    return [
        ("a restart: counted requests", [_restart(day, *KINDS) for day in days]),
        ("a restart: GraphQL points", [_restart(day, POINTS) for day in days]),
        ("a restart: writes to the API server", [_restart(day, "API writes") for day in days]),
        ("writes to the API server, an hour", [_mean(day.ledger.writes(day.town.hours)) for day in days]),
    ]


def _found(days: list[Day]) -> list[tuple[str, list[str]]]:
    return [
        ("webhooks lost that mattered", [f"{len(day.ledger.waits):,}" for day in days]),
        ("lost → found, p50", [_minutes(percentile(day.ledger.waits, 0.5)) for day in days]),
        ("lost → found, p99", [_minutes(percentile(day.ledger.waits, 0.99)) for day in days]),
        ("never found", [f"{day.lost:,}" for day in days]),
    ]


def _mean(hours: list[int]) -> str:
    return f"{mean(hours):,.0f}"


def _of(number: int, limit: int) -> str:
    return f"{number:,} ({number / limit:.0%})"


def _restart(day: Day, *kinds: str) -> str:
    restarts = max(1, len(day.ledger.restarts) - 1)
    return f"{sum(day.ledger.after_restart[kind] for kind in kinds) / restarts:,.0f}"


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02} min"


if __name__ == "__main__":
    main()
