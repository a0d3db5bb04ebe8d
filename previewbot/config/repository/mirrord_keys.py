"""`{{ key }}` in those parts of `preview.yaml` that are read for mirrord."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from previewbot.config.keys import KEY, templates, with_marks
from previewbot.config.mirrord.aside import Aside, is_within
from previewbot.config.reader import Document, Mistake
from previewbot.config.schema import KeyPath
from previewbot.config.words import fill


def marked(document: Document, path: KeyPath, value: object, unused: Collection[KeyPath] = ()) -> object:
    """Return a part of a document with `KEY` wherever `{{ key }}` is written.

    Any other template is a mistake, but for those in keys that are `unused`, and so is that mark itself: the
    document has them then.
    """
    if isinstance(value, Mapping):
        return {
            _text(document, (*path, str(name)), str(name), is_within(path, unused)): marked(
                document, (*path, str(name)), inner, unused
            )
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [marked(document, (*path, number), inner, unused) for number, inner in enumerate(value)]
    return _text(document, path, value, is_within(path, unused)) if isinstance(value, str) else value


def _text(document: Document, path: KeyPath, text: str, is_unused: bool) -> str:
    for kind, named in _odd(text, is_unused):
        mistake = Mistake(document.line_of(path), partial(fill, kind, named), path)
        document.mistakes.append(mistake)
    return with_marks(text)


def _odd(text: str, is_unused: bool) -> Iterator[tuple[str, Mapping[str, object]]]:
    if KEY in text:
        yield "odd_character_mirrord", {}
    marked = with_marks(text)
    for found in templates(Aside(marked).text if is_unused else marked):
        yield "template", {"written": found.written}
