"""The objects of one resource as last seen, fed by a watch and by our own writes, which race."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
Changed = Callable[[Object | None, Object | None], None]

_BURIED_KEPT = 10_000


class ObjectCache:
    """Objects by (namespace, name); `changed(before, after)` is called for each change, None for absent.

    `revision` is another number after each change, before anybody is told of it.

    What was seen deleted stays deleted: a uid never returns, but the answer to our own write may come in
    after the watch told of the delete, and would be kept for ever.
    """

    def __init__(self, changed: Changed) -> None:
        self._objects: dict[tuple[str, str], Object] = {}
        self._buried: OrderedDict[str, None] = OrderedDict()
        self._changed = changed
        self.revision = 0

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def put(self, obj: Object) -> None:
        """Take an object, unless it is known already, or a newer one, or its deletion."""
        before = self._objects.get(_key(obj))
        # Example: the watch tells that Preview A was deleted, and only then the answer to our own write of A
        # comes in. Taken as it comes, A would stay in the cache for ever, since no later event would remove
        # it.
        if _uid(obj) in self._buried or (before is not None and not _is_newer(obj, before)):
            return
        self._objects[_key(obj)] = obj
        self.revision += 1
        self._changed(before, obj)

    def remove(self, obj: Object) -> None:
        """Forget an object that was deleted, but not a successor that has its name by now."""
        self._bury(_uid(obj))
        before = self._objects.get(_key(obj))
        # The name may belong to a new object by now: its creation can be in the cache (by our own write)
        # before the watch tells of its predecessor's end.
        if before is not None and _uid(before) == _uid(obj):
            del self._objects[_key(obj)]
            self.revision += 1
            self._changed(before, None)

    def replace(self, objects: Sequence[Object], version: str) -> None:
        """Take a complete list as of `version`; what is not in it has vanished while nobody watched.

        Our own writes may have put objects here that are newer than the list: those stay.
        """
        listed = {_key(obj): _uid(obj) for obj in objects}
        for key, known in list(self._objects.items()):
            # A list is as of one version. What we wrote after that version is rightly not in it, and has not
            # vanished.
            if listed.get(key) != _uid(known) and not _is_after(known, version):
                self.remove(known)
        for obj in objects:
            self.put(obj)

    def _bury(self, uid: str) -> None:
        self._buried[uid] = None
        while len(self._buried) > _BURIED_KEPT:
            self._buried.popitem(last=False)


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _uid(obj: Object) -> str:
    return str(obj["metadata"]["uid"])


def _version(obj: Object) -> str:
    return str(obj["metadata"]["resourceVersion"])


def _is_newer(obj: Object, than: Object) -> bool:
    if _uid(obj) == _uid(than) and _version(obj) == _version(than):
        return False
    return not _comparable(obj, than) or int(_version(obj)) > int(_version(than))


def _comparable(*objects: Object) -> bool:
    """Whether versions compare as numbers, as Kubernetes' own do since 1.35 by promise (KEP-5504).

    Another server's may not: then the last word counts.
    """
    return all(_version(obj).isdigit() for obj in objects)


def _is_after(obj: Object, version: str) -> bool:
    return _comparable(obj) and version.isdigit() and int(_version(obj)) > int(version)
