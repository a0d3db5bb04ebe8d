"""`mirrord` of each service: read in the document, before that is judged as a whole.

What stands in a mirrord file may then be left out in `preview.yaml`, and what both say is compared where it
is still known how it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from typing import Any

from pydantic_core import PydanticCustomError

from previewbot.config.mirrord import MirrordConfig, MirrordFile, read_mirrord, resolved
from previewbot.config.mirrord.files import Files
from previewbot.config.mirrord.notes import UNUSED
from previewbot.config.mirrord.parsing import problem
from previewbot.config.mirrord.paths import find
from previewbot.config.mistakes import validated
from previewbot.config.reader import MOST_TOLD, Document, Mistake, Place, cut
from previewbot.config.repository.defaults import SERVICES
from previewbot.config.repository.mirrord_agrees import contradictions, merged, target_of
from previewbot.config.repository.mirrord_keys import marked
from previewbot.config.schema import KeyPath, schema_of
from previewbot.config.words import fill
from previewbot.errors import ConfigurationError, Problem

MIRRORD_KEY = "mirrord"
INLINE = "the `mirrord` object"
"""What an object in `preview.yaml` is called, where a file has its name."""
_TTL, _DATABASES = "ttl", "databases"
_MARKED = ("queues",)
"""Keys of a service, beside `mirrord`, in which `{{ key }}` stands for the environment key."""


@dataclass
class MirrordFiles:
    """What was found on the way: the first `problems` of mirrord files and objects; `unread` are the services
    that have none that was read and can be used, of which it is not known what is missing."""

    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def explain(self, mistake: Mistake, document: Document) -> bool:
        """Return whether a mistake may be gone once the mirrord file can be read."""
        path = mistake.path
        absent = len(path) == 3 and path[0] == SERVICES and path not in document.places
        return absent and path[1] in self.unread and path[2] in ("target", "namespace")


def read_mirrord_files(document: Document, files: Files) -> MirrordFiles:
    """Put what each service's `mirrord` says in its place, and take from it what the service leaves out.

    A text is the path of a file of the repository, a mapping the object itself.
    """
    work = _Reading(document, files)
    root = document.value
    services = root.get(SERVICES) if isinstance(root, dict) else None
    if isinstance(root, dict) and _DATABASES in root:
        root[_DATABASES] = marked(document, (_DATABASES,), root[_DATABASES])
    if isinstance(root, dict) and isinstance(services, dict):
        for name, service in services.items():
            if isinstance(service, dict):
                work.service(str(name), service)
        work.shortest_ttl(root)
    return work.found


class _Reading:
    """Reads the services of one document, and each mirrord file once."""

    def __init__(self, document: Document, files: Files) -> None:
        self.found = MirrordFiles()
        self._document, self._files = document, files
        self._read: dict[str, MirrordConfig | None] = {}
        self._ttls: list[timedelta] = []

    def service(self, name: str, service: dict[str, Any]) -> None:
        """Read what a service's `mirrord` says, and make the service whole with that."""
        place: KeyPath = (SERVICES, name)
        for key in _MARKED:
            if key in service:
                service[key] = marked(self._document, (*place, key), service[key])
        said, here = service.get(MIRRORD_KEY), (*place, MIRRORD_KEY)
        if not isinstance(said, str | dict) or said == "":
            return
        config = self._config(here, said)
        service[MIRRORD_KEY] = config or MirrordConfig()
        if config is None:
            self.found.unread.add(name)
            return
        if config.ttl is not None:
            self._ttls.append(config.ttl)
        where = f"`{said}`" if isinstance(said, str) else INLINE
        for key, kind, named in contradictions(service, config, where):
            self._wrong((*place, *key.split(".", 1)), kind, named)
        self._complete(place, service, config)

    def shortest_ttl(self, root: dict[str, Any]) -> None:
        """Let the mirrord files say how long a preview lives where `ttl` does not: the shortest counts."""
        if root.get(_TTL) is None and self._ttls:
            root[_TTL] = min(self._ttls)

    def _complete(self, place: KeyPath, service: dict[str, Any], config: MirrordConfig) -> None:
        written = target_of(service)
        if config.target is not None and written is not None:
            service["target"] = merged(written, config.target) or written
        for key, value in (("target", config.target), ("namespace", config.namespace)):
            if value is not None and service.get(key) is None:
                service[key] = value
                self._document.places[(*place, key)] = self._document.places[(*place, MIRRORD_KEY)]

    def _config(self, here: KeyPath, said: str | dict[str, Any]) -> MirrordConfig | None:
        if len(self.found.problems) == MOST_TOLD:
            # Of hundreds of files that cannot be used, no more are read than is told of.
            return None
        return self._of_file(here, said) if isinstance(said, str) else self._of_its_object(here, said)

    def _of_file(self, here: KeyPath, path: str) -> MirrordConfig | None:
        if path not in self._read:
            self._read[path] = self._file(here, path)
        return self._read[path]

    def _file(self, here: KeyPath, path: str) -> MirrordConfig | None:
        try:
            content = find(path, "", self._files)
        except PydanticCustomError as error:
            kind = "mirrord_missing" if error.type == "file_missing" else error.type
            self._wrong(here, kind, error.context or {})
            return None
        if content is None:
            return None
        named = path.removeprefix("./")
        try:
            return _in_file(read_mirrord(content, named, self._files), named)
        except ConfigurationError as error:
            self._refuse(replace(each, file=named) for each in error.problems)
        return None

    def _of_its_object(self, here: KeyPath, said: dict[str, Any]) -> MirrordConfig | None:
        if here not in self._document.origins:
            return self._of_object(here, said)
        # From `defaults` hundreds of services may have the same: while they are read, the controller waits.
        key = repr(said)
        if key not in self._read:
            self._read[key] = self._of_object(here, said)
        return self._read[key]

    def _of_object(self, here: KeyPath, said: dict[str, Any]) -> MirrordConfig | None:
        """Read the object of a service, in a document of its own in which the lines are those of this one."""
        document = Document(schema_of(MirrordFile), places=self._places[str(here[1])])
        document.value = marked(document, (), said, UNUSED)
        model, mistakes = validated(MirrordFile, document, nulls=lambda _: True)
        if model is None:
            self._refuse(map(problem, cut(mistakes)))
            return None
        try:
            # Files that it names are looked for from the root of the repository.
            return resolved(model, "", "", self._files, document.line_of)
        except ConfigurationError as error:
            self._refuse(error.problems)
        return None

    @cached_property
    def _places(self) -> Mapping[str, dict[KeyPath, Place]]:
        """Where the objects of services are written, by the services' names: looked for once for all."""
        found: dict[str, dict[KeyPath, Place]] = {}
        for path, place in self._document.places.items():
            if path[:1] == (SERVICES,) and path[2:3] == (MIRRORD_KEY,):
                found.setdefault(str(path[1]), {})[path[3:]] = place
        return found

    def _refuse(self, problems: Iterable[Problem]) -> None:
        # What stands in `defaults` is refused once, however many services have it from there.
        for each in problems:
            if len(self.found.problems) == MOST_TOLD:
                return
            if each not in self.found.problems:
                self.found.problems.append(each)

    def _wrong(self, path: KeyPath, kind: str, named: Mapping[str, object]) -> None:
        words = partial(fill, kind, named)
        self._document.mistakes.append(Mistake(self._document.line_of(path), words, path))


def _in_file(config: MirrordConfig, path: str) -> MirrordConfig:
    """Return a configuration whose notes say in which file they are."""
    return replace(
        config,
        notes=tuple(replace(each, file=path) for each in config.notes),
        secrets=tuple(replace(each, file=path) for each in config.secrets),
    )
