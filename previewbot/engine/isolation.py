"""What a session and a branch in the cluster say of what a preview has of its own.

It is read from the objects that mirrord's operator goes by, and not from the configuration: a cluster with an
older CRD drops fields that it does not know, and what was wished for is not what runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from previewbot.api import Copied, Isolation, OwnDatabase, OwnEnvironment, OwnMessages, RequestsTaken, TakenBy
from previewbot.config.keys import header_pattern
from previewbot.engine.manifest_parts import mapping
from previewbot.engine.session_spec import branches_in, key_filter

_NAMES_KEPT = 50
_NAME_SHOWN = 100
"""Characters of a name: mirrord's ids have no limit of their own."""

_COPIES = {"empty": Copied.NOTHING, "schema": Copied.SCHEMA, "all": Copied.ALL}


def isolation_from(spec: Mapping[str, Any]) -> Isolation:
    """Read a session's `spec`; of its databases it knows only the names of mirrord's objects.

    What is not of the form that previewbot sends is told as the worst that it may be.
    """
    return Isolation(
        requests=_requests(spec),
        databases=tuple(OwnDatabase(name) for name in branches_in(spec)[:_NAMES_KEPT]),
        queues=_queues(mapping(spec, "queueSplitting")),
        environment=_environment(spec),
    )


def own_database_from(obj: Mapping[str, Any]) -> OwnDatabase:
    """Read a `BranchDatabase`; its name is its whole id, which begins with the environment key."""
    spec = mapping(obj, "spec")
    identity = spec.get("id")
    return OwnDatabase(
        branch=obj["metadata"]["name"],
        name=identity[:_NAME_SHOWN] if isinstance(identity, str) else "",
        copied=_copied(spec),
        unreached=not _variables(spec),
    )


def named(database: OwnDatabase, key: str) -> OwnDatabase:
    """Return a database that is called as in the configuration: without the environment key of its id."""
    # Another version, or a person, may have made it: then its whole id is the best name there is.
    return replace(database, name=database.name.removeprefix(f"{key}-"))


def _requests(spec: Mapping[str, Any]) -> RequestsTaken:
    if spec.get("incoming") is None:
        return RequestsTaken(TakenBy.NOTHING)
    incoming, key = mapping(spec, "incoming"), str(spec.get("key", ""))
    written = incoming.get("httpFilter")
    # Without a filter it takes everybody's, and with `steal: false` a copy of them.
    if incoming.get("steal") is not True or not isinstance(written, str) or not key:
        return RequestsTaken()
    if written == key_filter(key):
        return RequestsTaken(TakenBy.BAGGAGE)
    return _by_filter(_filter(written), key)


def _filter(written: str) -> Mapping[str, Any]:
    """Return the kinds of filter that are set in one; none if it cannot be read."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    kinds = found.items() if isinstance(found, Mapping) else ()
    return {kind: value for kind, value in kinds if value is not None}


def _by_filter(kinds: Mapping[str, Any], key: str) -> RequestsTaken:
    own = {"header": header_pattern("baggage", key)}
    if kinds == {"header_filter": own["header"]}:
        return RequestsTaken(TakenBy.BAGGAGE)
    if kinds == {"any_of": [own, {"header": header_pattern("tracestate", key)}]}:
        return RequestsTaken(TakenBy.BAGGAGE_OR_TRACESTATE)
    # All of these must hold, so the key's own among them is enough: the others only narrow it.
    conditions = kinds.get("all_of")
    if list(kinds) == ["all_of"] and isinstance(conditions, list) and own in conditions:
        return RequestsTaken(TakenBy.BAGGAGE, len(conditions) - 1)
    return RequestsTaken()


def _queues(splitting: Mapping[str, Any]) -> tuple[OwnMessages, ...]:
    """Return the queues that are split, by the ids of whatever fields name their filters."""
    modes = mapping(splitting, "queueModes")
    ids: dict[str, None] = {}
    for field, filters in splitting.items():
        # `sqsQueueFilters`, `kafkaQueueJqFilters`: a broker that a newer operator knows is called likewise.
        if field.endswith("Filters") and isinstance(filters, Mapping):
            ids |= dict.fromkeys(filters)
    return tuple(OwnMessages(id[:_NAME_SHOWN], modes.get(id) == "mirror") for id in sorted(ids)[:_NAMES_KEPT])


def _environment(spec: Mapping[str, Any]) -> OwnEnvironment:
    environment = mapping(spec, "env")
    mounts = [spec.get(field) for field in ("configMounts", "secretMounts")]
    return OwnEnvironment(
        overridden=len(mapping(environment, "overrides")),
        left_out=any(environment.get(field) is not None for field in ("include", "exclude")),
        files=sum(len(each) for each in mounts if isinstance(each, list)),
    )


def _variables(spec: Mapping[str, Any]) -> list[str]:
    """Return the variables by which a service is led to a branch: those that its connection is read from."""
    source = mapping(spec, "connectionSource")
    urls, parts = source.get("url"), mapping(source, "params")
    # `extra` are settings beside a connection, which lead nowhere.
    places = [
        *(urls if isinstance(urls, list) else [urls]),
        *(parts[name] for name in parts if name != "extra"),
    ]
    found = [mapping(spec, "spannerOptions").get("emulatorHostVar")]
    for place in places:
        # One form each: `{"env": {"variable": …}}`, `{"secret": {"env_var_name": …}}`.
        for form in place.values() if isinstance(place, Mapping) else ():
            found += [form.get("variable"), form.get("env_var_name")] if isinstance(form, Mapping) else []
    return [name for name in found if isinstance(name, str) and name]


def _copied(spec: Mapping[str, Any]) -> Copied:
    """Return what was copied, in the options of the one engine that a branch has."""
    options = [value for field, value in spec.items() if field.endswith("Options")]
    copy = mapping(options[0], "copy") if len(options) == 1 else {}
    mode = copy.get("mode")
    copied = _COPIES.get(mode, Copied.UNKNOWN) if isinstance(mode, str) else Copied.UNKNOWN
    filtered = bool(copy.get("items") or copy.get("patterns"))
    return Copied.PART if filtered and copied is not Copied.UNKNOWN else copied
