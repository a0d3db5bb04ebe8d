"""Converters for the values of the file; each raises ValueError with what to write instead."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import re2
import yaml
from pathspec import GitIgnoreSpec

from previewbot.repoconfig.model import TARGET_KINDS, TargetPath, is_label, parse_target
from previewbot.repoconfig.nodes import Mistake, did_you_mean, kind_of, line_of, shown
from previewbot.timing import parse_duration

T = TypeVar("T")

IMAGE_FIELDS = ("head_sha", "short_sha", "merge_sha", "number", "branch", "service")

_FIELD = re.compile(r"\{([^{}]*)\}")
_IMAGE = re.compile(
    r"(?P<host>localhost(:[0-9]+)?|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]+)?|[A-Za-z0-9-]+:[0-9]+)"
    r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
    r":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
)
_SAMPLES = {
    "head_sha": "0" * 40,
    "short_sha": "0" * 7,
    "merge_sha": "0" * 40,
    "number": "1",
    "branch": "main",
}
_LONGEST_GLOB = 300


def text(node: yaml.Node) -> str:
    """Convert a text that is not empty."""
    kind = kind_of(node)
    if not isinstance(node, yaml.ScalarNode) or kind == "null":
        raise ValueError("must be a text")
    if kind != "str":
        raise ValueError(f"must be a text; put {shown(node.value)} in quotes")
    if not node.value.strip() or not node.value.isprintable():
        raise ValueError("must be a text on one line that is not empty")
    return str(node.value)


def truth(node: yaml.Node) -> bool:
    """Convert true or false."""
    if not isinstance(node, yaml.ScalarNode) or kind_of(node) != "bool":
        raise ValueError("must be true or false")
    return node.value.lower() in ("true", "yes", "on")


def port(node: yaml.Node) -> int:
    """Convert a port."""
    written = node.value if isinstance(node, yaml.ScalarNode) and kind_of(node) == "int" else ""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", written) or int(written) > 65_535:
        raise ValueError("must be a port, a number from 1 to 65535")
    return int(written)


def version(node: yaml.Node) -> int:
    """Convert the version of the file's format, of which there is one."""
    if not isinstance(node, yaml.ScalarNode) or kind_of(node) != "int" or node.value != "1":
        raise ValueError("must be 1")
    return 1


def duration(node: yaml.Node) -> timedelta:
    """Convert a duration."""
    try:
        return parse_duration(text(node))
    except ValueError:
        raise ValueError("must be a duration, like 8h, 2h30m, 90s or 3d") from None


def label(node: yaml.Node) -> str:
    """Convert the name of a namespace or a Service."""
    written = text(node)
    if not is_label(written):
        raise ValueError("must be a name of at most 63 small letters, digits and -")
    return written


def target(node: yaml.Node) -> TargetPath:
    """Convert a target."""
    written = text(node)
    try:
        return parse_target(written)
    except ValueError as error:
        hint = did_you_mean(written.split("/")[0], TARGET_KINDS)
        near = f"; {hint}" if hint.startswith("did") and written.split("/")[0] not in TARGET_KINDS else ""
        raise ValueError(f"{error}, not {shown(written)}{near}") from None


def url(node: yaml.Node) -> str:
    """Convert an http(s) URL without credentials; a slash at the end is dropped."""
    written = text(node)
    expected = "must be an http:// or https:// URL, like https://staging.example.com"
    try:
        parts = urlsplit(written)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or password; everybody could read it")
    if not usable or re.search(r"[?#\s\\<>\"'`()]", written):
        raise ValueError(expected + ", without ? and #")
    return written.rstrip("/")


def open_path(node: yaml.Node) -> str:
    """Convert the path on which a link lands."""
    written = text(node)
    if not written.startswith("/") or written.startswith("//"):
        raise ValueError(f"must begin with one /, like {shown('/' + written.lstrip('/'))}")
    if not written.isascii() or re.search(r"[\s\\<>\"'`()]", written):
        raise ValueError("must be written as in a URL, other characters as %XX")
    return written


def glob(node: yaml.Node) -> str:
    """Convert one gitignore-style pattern."""
    written = text(node)
    if written.startswith("./"):
        raise ValueError(f"must be written without ./ at its beginning: {shown(written[2:])}")
    if len(written) > _LONGEST_GLOB:
        raise ValueError(f"is too long: {shown(written)}; use at most {_LONGEST_GLOB} characters")
    if not _can_be_matched(written):
        raise ValueError(
            f"must be patterns as in .gitignore, like services/checkout/**, not {shown(written)}"
        )
    return written


def _can_be_matched(written: str) -> bool:
    """Return whether a pattern is one, and one that RE2 takes, with which paths are matched."""
    try:
        with warnings.catch_warnings():
            # What Python's regular expressions only warn of, RE2 refuses: a set within a set.
            warnings.simplefilter("error", FutureWarning)
            spec = GitIgnoreSpec.from_lines([written], backend="re2")
            spec.match_file("a")
    except (ValueError, re.error, re2.error, FutureWarning):
        return False
    return all(pattern.include is not None for pattern in spec.patterns) and bool(spec.patterns)


def globs(node: yaml.Node) -> tuple[str, ...]:
    """Convert the patterns of a service; those with ! take away from those before them."""
    patterns = list_of(glob, "services/checkout/**")(node)
    if patterns[0].startswith("!"):
        raise ValueError(f"must not begin with {shown(patterns[0])}, which takes away from nothing")
    return patterns


def image(service: str) -> Callable[[yaml.Node], str]:
    """Return the converter for the image template of a service."""

    def convert(node: yaml.Node) -> str:
        written = text(node)
        for name in _FIELD.findall(written):
            if name not in IMAGE_FIELDS:
                known = ", ".join(f"{{{name}}}" for name in IMAGE_FIELDS)
                hint = did_you_mean(name, IMAGE_FIELDS)
                near = hint if hint.startswith("did") else f"known here: {known}"
                raise ValueError(f"has the unknown field {shown(f'{{{name}}}')}; {near}")
        _check_reference(written, sample_image(written, service))
        return written

    return convert


def sample_image(template: str, service: str) -> str:
    """Return a template with samples for its fields: what an image may look like."""
    samples = {**_SAMPLES, "service": service}
    return _FIELD.sub(lambda match: samples[match.group(1)], template)


def list_of(convert: Callable[[yaml.Node], T], example: str) -> Callable[[yaml.Node], tuple[T, ...]]:
    """Return a converter for a list with at least one entry."""

    def convert_all(node: yaml.Node) -> tuple[T, ...]:
        if not isinstance(node, yaml.SequenceNode) or kind_of(node) != "seq" or not node.value:
            raise ValueError(f"must be a list, like {shown(f'[{example}]')}")
        return tuple(_entry(item, convert) for item in node.value)

    return convert_all


def labels(node: yaml.Node) -> tuple[str, ...]:
    """Convert a list of labels; an empty one means that no label triggers."""
    if isinstance(node, yaml.SequenceNode) and not node.value:
        return ()
    return list_of(text, "preview")(node)


def _entry(node: yaml.Node, convert: Callable[[yaml.Node], T]) -> T:
    try:
        return convert(node)
    except ValueError as error:
        raise Mistake(line_of(node), str(error)) from None


def _check_reference(template: str, sample: str) -> None:
    if "://" in template:
        raise ValueError("must be written without https://, like ghcr.io/acme/checkout:{head_sha}")
    if "@" in template:
        raise ValueError("must name a tag, not a digest, like ghcr.io/acme/checkout:{head_sha}")
    if "{" in template.split("/")[0]:
        raise ValueError("must begin with a registry's name, in which no field may stand")
    if ":" not in sample.rsplit("/", 1)[-1]:
        raise ValueError(f"must end with a tag, like {shown(template + ':{head_sha}')}")
    if not _IMAGE.fullmatch(sample):
        expected = "ghcr.io/acme/checkout:{head_sha}"
        raise ValueError(
            f"must be a registry, a repository and a tag, like {expected}, not {shown(template)}"
        )
