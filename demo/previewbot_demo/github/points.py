"""What a question to GraphQL costs, worked out from the question alone, as GitHub does before it answers.

https://docs.github.com/en/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, parse
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

MOST_NODES = 500_000
MOST_OF_A_PAGE = 100


@dataclass(frozen=True)
class Cost:
    """What a question costs: points of the hour, and the most nodes that it can show.

    `wrong` says what GitHub refuses it for, empty if nothing.
    """

    points: int
    nodes: int
    mutates: bool = False
    wrong: str = ""


def cost_of(query: str, variables: Mapping[str, Any]) -> Cost:
    """Return what a question costs; one that is no GraphQL costs a point and is refused for its grammar."""
    return _cost_of(query, json.dumps(variables, sort_keys=True))


@lru_cache(maxsize=256)
def _cost_of(query: str, variables: str) -> Cost:
    try:
        document = parse(query)
    except GraphQLError:
        return Cost(1, 0)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operation = next((d for d in document.definitions if isinstance(d, OperationDefinitionNode)), None)
    if operation is None:
        return Cost(1, 0)
    counted = _Counting(fragments, json.loads(variables))
    counted.walk(operation.selection_set, 1)
    # Rounded to the nearest whole number; Python's own `round` takes a half to the even one.
    points = max(1, int(counted.requests / 100 + 0.5))
    return Cost(points, counted.nodes, operation.operation is OperationType.MUTATION, counted.wrong)


class _Counting:
    """Adds up the requests that fill each connection, and the nodes, as if every page were full."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> None:
        self._fragments, self._variables = fragments, variables
        self.requests = self.nodes = 0
        self._wrong = ""

    @property
    def wrong(self) -> str:
        """What GitHub refuses it for, empty if nothing."""
        if self.nodes <= MOST_NODES:
            return self._wrong
        return (
            f"This query requests up to {self.nodes} nodes, which exceeds the maximum limit of {MOST_NODES}."
        )

    def walk(self, selections: SelectionSetNode | None, times: int) -> None:
        """Count what is selected so many times over."""
        for field in self._fields(selections):
            arguments = {a.name.value: self._value(a.value) for a in field.arguments or ()}
            page = next((arguments[name] for name in ("first", "last") if arguments.get(name)), None)
            ids = arguments.get("ids")
            within = times
            if isinstance(page, int):
                if not 1 <= page <= MOST_OF_A_PAGE:
                    self._wrong = f"Requesting {page} records exceeds the `first` limit of 100 records."
                self.requests += times
                within = times * page
                self.nodes += within
            elif isinstance(ids, list):
                # GitHub does not say what nodes by their ids cost. That what hangs on each is asked for each
                # is the dearer reading.
                within = times * max(1, len(ids))
                self.nodes += within
            self.walk(field.selection_set, within)

    def _fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for selected in selections.selections if selections else ():
            if isinstance(selected, FieldNode):
                yield selected
            elif isinstance(selected, FragmentSpreadNode):
                found = self._fragments.get(selected.name.value)
                yield from self._fields(found.selection_set if found else None)
            else:
                yield from self._fields(getattr(selected, "selection_set", None))

    def _value(self, value: ValueNode) -> Any:
        if isinstance(value, VariableNode):
            return self._variables.get(value.name.value)
        if isinstance(value, IntValueNode):
            return int(value.value)
        return list(value.values) if isinstance(value, ListValueNode) else None
