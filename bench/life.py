"""Prints what one life of a pull request asks of GitHub, by kind: `python -m bench.life`."""

from __future__ import annotations

from bench.organisation.life import live, table


def main() -> None:
    """Live it, and print the table."""
    everywhere = {"deployments": {"environment": "preview"}, "check": "on"}
    print(table({"the comment alone": live(), "with deployments and check": live(everywhere)}))


if __name__ == "__main__":
    main()
