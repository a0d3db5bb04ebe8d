"""A draft of a preview.yaml as the text of a file: short, and with what is to be filled in marked. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import yaml

from previewbot.engine.draft import (
    UNKNOWN_NAMESPACE,
    UNKNOWN_PATHS,
    UNKNOWN_REGISTRY,
    Draft,
    DraftService,
)
from previewbot.engine.draft_entry import DraftEntry

FILL_IN = "FILL IN"
"""What marks a line whose value nobody could find out."""

_ORDER = ("paths", "target", "namespace", "image", "ports")
_ASKS = {
    "paths": "which folder each service is built from; none is called like them",
    "namespace": "where staging runs; no manifest says",
    "image": "where CI pushes it; no manifest names its registry",
}
_GUESSED = "is this what CI pushes for a commit?"
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9 ._/*@-]*(:[A-Za-z0-9{/][A-Za-z0-9._/{}-]*)*")
_MIRRORD = re.compile(r"(^|/)(\.mirrord/[^/]+|mirrord)\.(json|toml|ya?ml)$")
_MOST_LEFT_OUT = 40
_WIDTH = 110


def written(draft: Draft, entry: DraftEntry | None, source: str, files: Sequence[str] = ()) -> str:
    """Return the file; `source` says in a few words what it was made from, `files` are the repository's."""
    lines = [
        f"# Made by `previewbot init` from {source}. Read it before you commit it:",
        "# `previewbot check FILE` says whether it is valid, with --cluster whether it fits your staging.",
        "version: 1",
        *_entry(entry, namespace=_namespace_of(draft)),
        *_defaults(draft),
    ]
    for key, values in (("shared", draft.shared), ("ignore", draft.ignore)):
        if values:
            lines.append(f"{key}: {_flow(values)}")
    lines.append("services:")
    for service in draft.services:
        lines += _service(service, draft)
    lines += _mirrord(files)
    lines += _left_out(draft)
    return "".join(f"{line}\n" for line in lines)


def to_fill_in(text: str) -> list[int]:
    """Return the lines (from 1) that are marked."""
    return [number for number, line in enumerate(text.splitlines(), start=1) if f"# {FILL_IN}: " in line]


def _namespace_of(draft: Draft) -> str:
    found = draft.defaults.get("namespace") or next((s.namespace for s in draft.services), "")
    return str(found)


def _entry(entry: DraftEntry | None, *, namespace: str) -> Iterator[str]:
    if entry is None:
        yield f"# {FILL_IN}: staging's front end, which links open; without it they need the header:"
        yield (
            f"# entry: {{url: https://staging.example.com, namespace: {_inline(namespace)}, service: web, "
            "port: 80}"
        )
        return
    mark = "" if entry.url_known else f"  # {FILL_IN}: where staging is opened; no manifest says"
    yield "entry:"
    yield f"  url: {_block(entry.url)}{mark}"
    unknown = "" if entry.namespace else f"  # {FILL_IN}: {_ASKS['namespace']}"
    yield f"  namespace: {_block(entry.namespace or namespace)}{unknown}"
    yield f"  service: {_block(entry.service)}"
    yield f"  port: {entry.port}"
    if entry.target:
        yield f"  target: {_block(entry.target)}"
    if entry.routes:
        yield "  routes:"
    for route in entry.routes:
        exact = ", type: Exact" if route.exact else ""
        leads = f"service: {_inline(route.service)}, port: {route.port}{exact}"
        yield f"    - {{path: {_inline(route.path)}, {leads}}}"
    if entry.others:
        yield f"  # other hosts that were found: {_commented(', '.join(entry.others))}"


def _defaults(draft: Draft) -> Iterator[str]:
    keys = [key for key in _ORDER if key in draft.defaults]
    if keys:
        yield "defaults:"
    for key in keys:
        yield from _marked(f"  {key}: {_value(draft.defaults[key])}", _ask(key, draft.defaults[key], draft))


def _service(service: DraftService, draft: Draft) -> Iterator[str]:
    """Yield a service in as few lines as it takes: what `defaults` say is not repeated."""
    own = {
        key: service.values[key]
        for key in _ORDER
        if key in service.values and service.values[key] != draft.defaults.get(key)
    }
    name = _block(service.name)
    if not own:
        yield f"  {name}:"
        return
    if list(own) == ["paths"]:
        yield f"  {name}: {_value(own['paths'])}"
        return
    inline = ", ".join(f"{key}: {_value(value, inline=True)}" for key, value in own.items())
    line = f"  {name}: {{{inline}}}"
    if len(line) <= 100 and not (set(own) & draft.unknown or "image" in own):
        yield line
        return
    yield f"  {name}:"
    for key, value in own.items():
        yield from _marked(f"    {key}: {_value(value)}", _ask(key, value, draft))


def _ask(key: str, value: object, draft: Draft) -> str:
    """Return what is to be filled in here, or to be looked at; empty if nothing is."""
    if key == "image" and str(value).startswith(f"{UNKNOWN_REGISTRY}/"):
        return f"{FILL_IN}: {_ASKS[key]}"
    if key in draft.unknown and value in (UNKNOWN_PATHS, UNKNOWN_NAMESPACE):
        return f"{FILL_IN}: {_ASKS[key]}"
    # Said once: they are all guessed alike.
    guessed = key == "image" and value == (draft.defaults.get(key) or draft.services[0].image)
    return _GUESSED if guessed else ""


def _marked(line: str, ask: str) -> Iterator[str]:
    """Yield a line with what is asked beside it, or above it where that would be too long to read."""
    if not ask:
        yield line
    elif len(line) + len(ask) < _WIDTH:
        yield f"{line}  # {ask}"
    else:
        yield f"{line[: len(line) - len(line.lstrip())]}# {ask}"
        yield line


def _mirrord(files: Sequence[str]) -> Iterator[str]:
    """Yield which mirrord configurations there are: whose each is, no file tells."""
    found = [path for path in files if _MIRRORD.search(path)]
    if not found:
        return
    yield "# mirrord's configurations here; a service's preview is made of one if it says `mirrord: PATH`:"
    for path in found[:_MOST_LEFT_OUT]:
        yield f"#   {_commented(path)}"


def _left_out(draft: Draft) -> Iterator[str]:
    if not draft.left_out:
        return
    yield "# Left out: no folder is called like these, others publish their images, or they are databases:"
    for name, image in draft.left_out[:_MOST_LEFT_OUT]:
        yield f"#   {_commented(f'{name} ({image})' if image else name)}"
    if len(draft.left_out) > _MOST_LEFT_OUT:
        yield f"#   and {len(draft.left_out) - _MOST_LEFT_OUT} more"


def _value(value: object, *, inline: bool = False) -> str:
    if isinstance(value, tuple):
        return _flow(value)
    return _inline(str(value)) if inline else _block(str(value))


def _flow(values: Sequence[object]) -> str:
    return f"[{', '.join(_inline(each) if isinstance(each, str) else str(each) for each in values)}]"


def _block(text: str) -> str:
    """Return a text as a value on a line of its own, in quotes if YAML would read it as something else."""
    plain = text.replace("{", "").replace("}", "")
    return text if _PLAIN.fullmatch(plain) and not text.startswith("{") and _is_text(text) else _quoted(text)


def _inline(text: str) -> str:
    """Return a text as a value between brackets or braces."""
    return text if not set(text) & set("{}[],") and _block(text) == text else _quoted(text)


def _is_text(text: str) -> bool:
    try:
        return bool(yaml.safe_load(text) == text)
    except yaml.YAMLError:
        return False


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _commented(text: str) -> str:
    """Return a text for a comment: one line, whatever it was."""
    return "".join(char if char.isprintable() else "?" for char in text)[:300]
