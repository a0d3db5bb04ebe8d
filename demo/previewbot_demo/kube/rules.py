"""A CRD's own rules at work (`x-kubernetes-validations`): each of ours by its text
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules).

Kubernetes evaluates any expression; here each rule that ours has is a function. A rule that is not here is an
error at once, so that none is ever left out in silence. tests/contract holds both to the same answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from previewbot_demo.kube.status import Cause

_NAME_RE = re.compile(r"gh-([1-9][0-9]*)-([1-9][0-9]*)")
_REQUEST_RE = re.compile(r"gh-([1-9][0-9]*)-([1-9][0-9]*)-[0-9a-f]{15}")
_KEY_RE = re.compile(r"-([1-9][0-9]*)\Z")
_BLOCKING = frozenset(
    {"FieldValueRequired", "FieldValueTypeInvalid", "FieldValueTooLong", "FieldValueNotSupported"}
)
"""With such a mistake the object is not what the rules were written for, and they are not evaluated."""

_NOT_CHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
    "existing errors to complete validation"
)

Holds = Callable[[Any, Any], bool]


def _name_says_whose_it_is(obj: Any, old: Any) -> bool:
    found = _NAME_RE.fullmatch(str(obj["metadata"].get("name") or ""))
    whose = (obj["spec"]["repositoryId"], obj["spec"]["number"])
    return old is not None or (found is not None and (int(found[1]), int(found[2])) == whose)


def _request_says_whose_it_is(obj: Any, old: Any) -> bool:
    found = _REQUEST_RE.fullmatch(str(obj["metadata"].get("name") or ""))
    whose = (obj["spec"]["repositoryId"], obj["spec"]["number"])
    return found is not None and (int(found[1]), int(found[2])) == whose


def _key_ends_with_number(spec: Any, old: Any) -> bool:
    found = _KEY_RE.search(spec["environmentKey"])
    return old is not None or (found is not None and int(found[1]) == spec["number"])


def _says_what_it_asks_for(spec: Any, old: Any) -> bool:
    return ("saying" in spec) is bool(spec["asked"] == "say")


def _actor_has_one_name(actor: Any, old: Any) -> bool:
    wanted = {"login"} if actor["id"] else {"name", "mark"}
    return {"login", "name", "mark"} & set(actor) == wanted


_RULES: Mapping[str, Holds] = {
    "oldSelf.hasValue() || self.metadata.name.matches('^gh-[1-9][0-9]*-[1-9][0-9]*$') "
    "&& int(self.metadata.name.split('-')[1]) == self.spec.repositoryId "
    "&& int(self.metadata.name.split('-')[2]) == self.spec.number": _name_says_whose_it_is,
    "oldSelf.hasValue() || self.environmentKey.matches('-[1-9][0-9]*$') "
    "&& int(self.environmentKey.substring(self.environmentKey.lastIndexOf('-') + 1)) == self.number": (
        _key_ends_with_number
    ),
    "self.metadata.name.matches('^gh-[1-9][0-9]*-[1-9][0-9]*-[0-9a-f]{15}$') "
    "&& int(self.metadata.name.split('-')[1]) == self.spec.repositoryId "
    "&& int(self.metadata.name.split('-')[2]) == self.spec.number": _request_says_whose_it_is,
    "has(self.saying) == (self.asked == 'say')": _says_what_it_asks_for,
    "self.id == 0 ? has(self.name) && has(self.mark) && !has(self.login) "
    ": has(self.login) && !has(self.name) && !has(self.mark)": _actor_has_one_name,
    # A rule that names `oldSelf` alone is not asked about what was not there before.
    "self == oldSelf": lambda value, old: old is None or value == old,
}


def broken(
    schema: Mapping[str, Any], obj: Mapping[str, Any], old: Mapping[str, Any] | None, wrong: Sequence[Cause]
) -> list[Cause]:
    """Return which rules an object breaks; with some kinds of other mistakes, that none was asked.

    `wrong` is what is wrong with it by its schema. Raises KeyError for a rule that is not known here.
    """
    found = list(_rules(schema, obj, old, ""))
    if not found:
        return []
    if any(cause.reason in _BLOCKING for cause in wrong):
        return [Cause("<nil>", "FieldValueInvalid", _NOT_CHECKED)]
    return [
        Cause(path or "<nil>", "FieldValueInvalid", f"Invalid value: {_shown(value)}{rule['message']}")
        for rule, path, value, before in found
        if not _RULES[rule["rule"]](value, before)
    ]


def _rules(
    schema: Mapping[str, Any], value: Any, old: Any, path: str
) -> Iterator[tuple[Mapping[str, str], str, Any, Any]]:
    """Yield each rule with the field it is for, the field's value, and the value before."""
    for rule in schema.get("x-kubernetes-validations", ()):
        yield rule, path, value, old
    for key, child in schema.get("properties", {}).items():
        now, before = ((each or {}).get(key) if isinstance(each, Mapping) else None for each in (value, old))
        yield from _rules(child, now, before, f"{path}.{key}".lstrip("."))


def _shown(value: Any) -> str:
    return "" if isinstance(value, Mapping) else f"{json.dumps(value)}: "
