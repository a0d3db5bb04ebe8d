"""From a mirrord file's bytes to a document: JSON, TOML or YAML, by the end of its name, as for the CLI."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import PurePosixPath

from previewbot.config.keys import KEY, templates, with_marks
from previewbot.config.mirrord.aside import ASIDE, Aside, is_within
from previewbot.config.mirrord.json_reading import read_json
from previewbot.config.mirrord.toml_reading import read_toml
from previewbot.config.reader import Document, Mistake, Place, Unreadable, decoded, read
from previewbot.config.schema import KeyPath, Schema
from previewbot.config.words import Raw, fill

FORMATS = {"": "JSON", ".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}
"""What a file is by the end of its name; without one it is JSON."""

# The marks of the key and of a template, also as the three formats escape them: only templates make one.
_MARK = re.compile(rf"{KEY}|{ASIDE}|\\[uU](?:0000)?[eE]00[01]")


def read_document(content: bytes, path: str, schema: Schema, unused: Collection[KeyPath] = ()) -> Document:
    """Return what a mirrord file holds, with `KEY` where it has `{{ key }}`; raises Unreadable.

    What looks like any other template is among the document's mistakes, but for those in keys that are
    `unused`, whatever they say: these stay as they are written.
    """
    text = decoded(content)
    if mark := _MARK.search(text):
        raise Unreadable(text.count("\n", 0, mark.start()) + 1, "odd_character_mirrord")
    text = with_marks(text)
    if next(templates(text), None) is None:
        return _read(text, path, schema)
    aside = Aside(text)
    document = _with_templates_aside(aside, path, schema)
    used = (
        [*range(len(aside.written))]
        if document is None
        else [number for number, at in aside.places(document) if not is_within(at, unused)]
    )
    wrong = [*_templates_in(aside.with_only(used))]
    # A template may stand where JSON allows nothing of the kind: then that alone is what is wrong.
    if document is None or wrong:
        return Document(schema, value={}, places={(): Place(1, 1)}, mistakes=wrong)
    return aside.put_back(document)


def _with_templates_aside(aside: Aside, path: str, schema: Schema) -> Document | None:
    """Return the document without its templates; None if it is none for a template that stands in it.

    Raises Unreadable where something else is wrong, which is told then: not that of a template that may stay.
    """
    try:
        return _read(aside.text, path, schema)
    except Unreadable as error:
        line = error.mistake.line
        is_by_template = line > 0 and ASIDE in aside.text.split("\n")[line - 1]
        if is_by_template or next(templates(aside.text), None) is not None:
            return None
        raise


def _templates_in(text: str) -> Iterator[Mistake]:
    line, counted_to = 1, 0
    seen = set[tuple[int, str]]()
    for found in templates(text):
        line += text.count("\n", counted_to, found.at)
        counted_to = found.at
        if (line, found.written) not in seen:
            seen.add((line, found.written))
            yield Mistake(line, partial(fill, "template", {"written": found.written}))


def _read(text: str, path: str, schema: Schema) -> Document:
    end = PurePosixPath(path).suffix
    form = FORMATS.get(end)
    if form is None:
        ends = Raw(", ".join(each for each in FORMATS if each))
        raise Unreadable(0, "mirrord_extension", written=end, ends=ends)
    if form == "YAML":
        document = read(text, schema)
        # An empty one says nothing, as for the CLI; JSON has no empty text.
        document.value = {} if document.value is None else document.value
        return document
    document = Document(schema, places={(): Place(1, 1)})
    (read_json if form == "JSON" else read_toml)(text, document)
    return document
