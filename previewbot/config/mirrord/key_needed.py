"""Whether a regular expression matches nothing without the environment key: a filter takes others' else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from previewbot.config.keys import KEY
from previewbot.config.mirrord.expressions import ignores_blanks

_TOKEN = re.compile(
    r"""\(\?\#[^)]*\)|\(\?[A-Za-z-]*\)      # a remark, and flags: nothing of a pattern
    |(?P<condition>\(\?\()                 # `(?(a)b)`: a, and without it nothing at all
    |(?P<opens>\((?:\?(?:<?[=!]|[:>|]|P?<[^>]*>|[A-Za-z-]*:)|(?!\?(?:\#|P?<))))
    |\\.                                   # an escape
    |(?P<class>\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\])  # of which the key would be one sign of several
    |(?P<endless>\[|\()                    # what should end and does not
    |.""",
    re.VERBOSE | re.DOTALL,
)
_CLASS_WITHIN = re.compile(r"\[(?!:)")
# Behind what need not be left out the whole may be repeated once more: `a+*`, `a{2}{0}`, but not `a+?`.
_OPTIONAL = re.compile(r"(?:(?:\+|\{0*[1-9][0-9]*(?:,[0-9]*)?\})(?:[?+]|(?![?+])))*(?:[?*]|\{0*[,}])")


@dataclass
class _Group:
    """What was read of a group: of the alternatives that have ended, and of the one that goes on."""

    negative: bool = False
    before: bool = True
    here: bool = False

    @property
    def needs(self) -> bool:
        return self.before and self.here and not self.negative


@lru_cache(maxsize=256)
def needs_key(pattern: str) -> bool:
    """Return whether each of a pattern's alternatives has the key, where it cannot be left out.

    Of a pattern that cannot be told apart it is taken that they have not.
    """
    # With this flag the key may be a part of a remark.
    if ignores_blanks(pattern):
        return False
    groups = [_Group()]
    for found in _TOKEN.finditer(pattern):
        sign = found[0]
        if found["opens"]:
            groups.append(_Group(negative=sign.endswith("!")))
        elif sign == "|":
            groups[-1].before, groups[-1].here = groups[-1].before and groups[-1].here, False
        elif sign == ")" and len(groups) > 1:
            inner = groups.pop()
            groups[-1].here |= inner.needs and not _OPTIONAL.match(pattern, found.end())
        elif sign == KEY:
            groups[-1].here |= not _OPTIONAL.match(pattern, found.end())
        elif found["condition"] or found["endless"] or (found["class"] and _CLASS_WITHIN.search(sign, 1)):
            # A class within a class ends later to mirrord. To look for more ends that are not there took
            # seconds.
            return False
    return len(groups) == 1 and groups[0].needs
