"""Patterns of paths as people write them: which can never match, what to write instead, and what is meant.

Patterns are those of .gitignore (https://git-scm.com/docs/gitignore#_pattern_format). What other tools know
beyond that (`{a,b}` of shells, `@(a|b)` of globstar, `\\` of Windows) is to Git a part of a name that no file
has: such a pattern would be taken, match nothing, and nobody would ever see a preview.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern
from pydantic import WithJsonSchema

from previewbot.config.repository.image_fields import SERVICE_FIELD
from previewbot.config.repository.patterns import Patterns, composed
from previewbot.config.types import TEXT, mistake
from previewbot.config.words import Raw, shown

_WILDCARD = re.compile(r"\*+|\?|\[")
_LONGEST_GLOB = 300
_MOST_WRITTEN_OUT = 4

# `{a,b}` and `{1..3}` of shells; `@(a|b)` and its kin. A name may have single braces or brackets of its own.
_BRACES = re.compile(r"(?<!\\)\{([^{}]*(?:,|\.\.)[^{}]*)\}")
_CHOICE = re.compile(r"[@+?*!]?\(([^()]*\|[^()]*)\)|[@+]\(([^()]*)\)")
# A `\` of .gitignore takes the meaning of the sign behind it; before a letter, or a wildcard that is one, it
# has none. `\**` cannot be meant as a star and a wildcard.
_FOLDER_OF_WINDOWS = re.compile(r"\\+(?=[A-Za-z0-9_.@{-]|\*\*|$)|\\{2,}")
# Names in brackets, as frameworks call folders and files: `[slug]`, `[...slug]`, `[[lang]]`, `[id].tsx`. What
# is a range or a negation, `[a-z]` or `[!a]`, means one sign.
_IN_BRACKETS = r"\[[A-Za-z_][\w-]+(?:=[\w-]+)?\]|\[\.\.\.[\w-]+\]|\[\[(?:\.\.\.)?[\w-]+\]\]"
_VERY_NAME = re.compile(rf"[\w.()@+-]*(?:(?:{_IN_BRACKETS})[\w.()@+-]*)+")
_RANGE = re.compile(r"\[\w-\w\]")
# Several patterns in one text, or a remark behind one: no folder is called so.
_SEVERAL = re.compile(r"(?<=\*)(?:\s*[,;]\s*|\s+)(?=\S)")
# What templates of others write where `{service}` stands here.
_FIELD_OF_OTHERS = re.compile(
    r"\$?\{\{\s*\.?(?:service|service_name)\s*\}\}|\$\{(?:service|service_name)\}|\{(?:name|app|service_name)\}"
)
# To GitHub's own `paths` two stars before an ending mean every folder, to .gitignore what one means.
_STARS_AND_ENDING = re.compile(r"(?<=/)\*\*(?=[^*/]+$)")

# What the published schema says of these values is as much as a regular expression can.
GLOB_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": TEXT,
        "maxLength": _LONGEST_GLOB,
        "not": {"pattern": r"^(\./|#)|(^|/)\.\.(/|$)|//"},
    }
)


def glob(written: str) -> str:
    """Return a gitignore-style pattern; raises the mistake of one that can never match."""
    # A blank before a pattern, in quotes, is no part of a name that anybody has.
    written = written.lstrip(" ")
    # Git's patterns know no `./`: such a pattern would match nothing, and the service would never have a
    # preview.
    if written.startswith("./"):
        raise mistake("glob_dot", instead=written[2:])
    if len(written) > _LONGEST_GLOB:
        raise mistake("glob_long", written=written, most=_LONGEST_GLOB)
    # What stands for a service's name is filled in by now, but for what `defaults` say.
    _refuse_other_languages(written, written.replace(SERVICE_FIELD, "service"))
    sign, bare = _parted(written)
    if not all(_can_be_matched(sign + each) for each in readings(bare)):
        raise mistake("glob", written=written)
    return written


def _refuse_other_languages(written: str, filled: str) -> None:
    """Raise the mistake of what means something to others than Git, and nothing to Git."""
    sign, bare = _parted(filled)
    if "://" in bare:
        raise mistake("glob", written=written)
    if _FIELD_OF_OTHERS.search(written):
        raise mistake(
            "glob_name", written=written, instead=_shown(_FIELD_OF_OTHERS.sub(SERVICE_FIELD, written))
        )
    several = [each for each in _SEVERAL.split(written.partition(" #")[0].rstrip()) if each]
    if len(several) > 1 or _SEVERAL.search(written):
        raise mistake("glob_name", written=written, instead=_shown(*several))
    if bare[:1] in ("'", '"') and bare[-1:] == bare[:1]:
        raise mistake("glob_name", written=written, instead=_shown(written.strip(bare[0])))
    if bare.endswith("/..."):
        raise mistake(
            "glob_name", written=written, instead=_shown(f"{written.removesuffix('...').lstrip('/')}**")
        )
    parts = bare.split("/")
    if ".." in parts or "." in parts:
        raise mistake("glob_up", written=written)
    if "//" in bare:
        raise mistake("glob_empty_part", instead=re.sub("/{2,}", "/", written))
    if bare.startswith("!"):
        raise mistake("glob_twice_away", written=written, instead=sign + bare[1:])
    choice = _BRACES.search(bare)
    if choice is not None:
        raise mistake("glob_braces", written=written, instead=_written_out(sign, bare, choice, ","))
    choice = _CHOICE.search(bare)
    if choice is not None:
        raise mistake("glob_choice", written=written, instead=_written_out(sign, bare, choice, "|"))
    if _FOLDER_OF_WINDOWS.search(bare) and not bare.endswith("\\"):
        raise mistake("glob_backslash", written=written, instead=sign + _FOLDER_OF_WINDOWS.sub("/", bare))
    if bare.startswith("^") or bare.endswith("$"):
        raise mistake("glob_regex", written=written)


def _written_out(sign: str, bare: str, choice: re.Match[str], between: str) -> Raw:
    """Return, for a message, the patterns that a choice stands for."""
    inner = next(filter(None, choice.groups()), "")
    before, behind = bare[: choice.start()], bare[choice.end() :]
    each = [f"{sign}{before}{one.strip()}{behind}" for one in inner.split(between)]
    return _shown(*each)


def _shown(*patterns: str) -> Raw:
    """Return patterns for a message; of very many the first."""
    more = ", …" if len(patterns) > _MOST_WRITTEN_OUT else ""
    return Raw(", ".join(map(shown, patterns[:_MOST_WRITTEN_OUT])) + more)


def _can_be_matched(written: str) -> bool:
    """Return whether a pattern is one, and one that RE2 takes, with which paths are matched."""
    try:
        with warnings.catch_warnings():
            # What Python's regular expressions only warn of, RE2 refuses: a set within a set.
            warnings.simplefilter("error", FutureWarning)
            pattern = GitIgnoreSpecPattern(written)
            Patterns([[written]])
    except (ValueError, re.error, FutureWarning):
        return False
    return pattern.include is not None


def count_wildcards(pattern: str) -> int:
    """Return of how many wildcards a pattern is made; `/**` at its end needs none to be matched."""
    return len(_WILDCARD.findall(pattern.removesuffix("/**")))


def globs(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of a list; those with ! take away from those before them."""
    if patterns[0].startswith("!"):
        raise mistake("glob_first", written=patterns[0])
    for at, pattern in enumerate(patterns):
        apart = (are_apart(pattern[1:], other) for other in adding(patterns[:at]))
        if pattern.startswith("!") and all(apart):
            raise mistake("glob_apart", at=str(at), written=pattern)
    return patterns


def adding(patterns: Sequence[str]) -> list[str]:
    """Return those patterns that name paths, and take none away."""
    return [pattern for pattern in patterns if not pattern.startswith("!")]


def are_apart(one: str, other: str) -> bool:
    """Return whether no path can match both of two patterns: they name different folders, without wildcards.

    A pattern without a slash, but at its end, is about every folder.
    """
    if not all("/" in pattern.rstrip("/") for pattern in (one, other)):
        return False
    pairs = zip(*(composed(pattern).strip("/").split("/") for pattern in (one, other)), strict=False)
    for mine, theirs in pairs:
        if _WILDCARD.search(mine) or _WILDCARD.search(theirs):
            return False
        if mine != theirs:
            return True
    return False


def effective(patterns: Sequence[str]) -> list[str]:
    """Return the patterns of .gitignore that say what is meant by those that people wrote."""
    found: list[str] = []
    for pattern in patterns:
        found += _meant(pattern)
        if pattern.startswith("!") and _is_a_name(pattern) and any(p.endswith("/**") for p in adding(found)):
            # To Git, `docs/**` names every file below, and `!docs/old` takes none of them away: only a folder
            # that was named itself.
            found.append(f"{pattern.rstrip('/')}/**")
    return found


def _meant(pattern: str) -> Iterator[str]:
    """Yield what a pattern is to match with: itself, and what else may be meant by it.

    GitHub lists a submodule, and a link that stands in a folder's place, by that folder's own name, which
    `services/checkout/**` does not match. And `[slug]` may be a folder of that very name.
    """
    sign, bare = _parted(pattern)
    for each in readings(bare):
        folder = each.removesuffix("/**")
        if folder not in (each, "") and not _WILDCARD.search(folder.rpartition("/")[2].replace("\\[", "")):
            # First, so that the pattern itself, which is the stronger one, has the last word.
            yield f"{sign}{folder if '/' in folder else '/' + folder}"
        yield sign + each


def _parted(pattern: str) -> tuple[str, str]:
    """Return the sign that takes away, if there is one, and the rest."""
    return ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)


def readings(bare: str) -> list[str]:
    """Return what a pattern without a sign that takes away may mean, as .gitignore has it."""
    bare = _STARS_AND_ENDING.sub("**/*", bare)
    parts = bare.split("/")
    literal = "/".join(_escaped(part) if _is_very_name(part) else part for part in parts)
    only_literal = any("[." in part or "[[" in part for part in parts)
    return [literal] if only_literal or literal == bare else [bare, literal]


def _is_very_name(part: str) -> bool:
    return _VERY_NAME.fullmatch(part) is not None and not _RANGE.search(part)


def _escaped(part: str) -> str:
    return part.replace("[", "\\[").replace("]", "\\]")


def _is_a_name(pattern: str) -> bool:
    """Return whether a pattern ends with a name, which may be a file's or a folder's."""
    return not _WILDCARD.search(pattern.rstrip("/").rpartition("/")[2])
