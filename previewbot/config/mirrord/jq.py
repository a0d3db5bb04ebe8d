"""Whether a text is a jq program, as far as one can tell by reading it: mirrord's CLI compiles each filter.

The grammar is that of jq's manual (https://jqlang.org/manual/); the CLI's own engine is jaq
(https://github.com/01mf02/jaq), which knows most of it. Precedence of operators says nothing about whether a
program is one, so that it is not looked at. Nothing is ever run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from previewbot.config.mirrord.jq_names import BUILT_IN, KEYWORDS

_MOST_NESTED = 40
_TOKEN = re.compile(
    r"""(?P<blank>(?:\s|\#[^\n]*)+)
    |(?P<field>\.[A-Za-z_]\w*)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)
    |(?P<variable>\$(?:[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*))
    |(?P<format>@[A-Za-z_]\w*)
    |(?P<quote>")
    |(?P<sign>\?//=?|//=|\|=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|//|\.\.|[][(){}.,:;|=<>+*/%?-])""",
    re.VERBOSE,
)
_TEXT = re.compile(r'(?:[^"\\]|\\(?!u|\()[bfnrt"/\\]|\\u[0-9A-Fa-f]{4})*')
_OPERATORS = frozenset(
    ("|", ",", "//", "=", "|=", "+=", "-=", "*=", "/=", "%=", "//=", "==", "!=", "<", "<=", ">", ">=")
) | {"+", "-", "*", "/", "%", "and", "or", "?//"}
_END = ""


class NoProgram(ValueError):
    """The text is no jq program; `str()` says what is wrong, in half a sentence."""


def check_jq(text: str) -> None:
    """Raise NoProgram, with what is wrong, if a text is surely no jq program."""
    if words := _wrong_with(text):
        raise NoProgram(words)


# By `defaults` hundreds of services may have one program: while it is read, the controller waits.
@lru_cache(maxsize=256)
def _wrong_with(text: str) -> str:
    reader = _Reader(text)
    try:
        reader.expression()
        if reader.next != _END:
            raise NoProgram(f"nothing joins {reader.shown} to what stands before it")
    except NoProgram as error:
        return str(error)
    return ""


class _Names:
    """Names that hold at one place: the latest are forgotten first, and each is found at once.

    To look through a list of them took five seconds for a function of 15,000 parameters.
    """

    def __init__(self, *names: str) -> None:
        self._in_order: list[str] = []
        self._times = Counter[str]()
        self.add(*names)

    def __len__(self) -> int:
        return len(self._in_order)

    def __contains__(self, name: str) -> bool:
        return self._times[name] > 0

    def add(self, *names: str) -> None:
        self._in_order += names
        self._times.update(names)

    def forget_from(self, number: int) -> None:
        self._times.subtract(self._in_order[number:])
        del self._in_order[number:]


class _Reader:
    """Reads a program once from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._nested = 0
        self._known = _Names("$ENV", "$__loc__", "$__prog_args")
        self.kind = self.next = _END
        self._advance()

    @property
    def shown(self) -> str:
        """What stands next, for a message."""
        return f"`{self.next}`" if self.next else "the end"

    def _advance(self) -> str:
        """Go on by one token, and return the one that was next."""
        was = self.next
        while self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                raise NoProgram(f"`{self._text[self._at]}` is no sign of jq")
            self._at = found.end()
            if found.lastgroup != "blank":
                self.kind, self.next = str(found.lastgroup), found[0]
                return was
        self.kind = self.next = _END
        return was

    def _takes(self, token: str) -> bool:
        if self.next != token or self.kind not in ("sign", "name"):
            return False
        self._advance()
        return True

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise NoProgram(f"`{token}` is missing before {self.shown}")

    def expression(self, *, commas: bool = True) -> None:
        """Read values with operators between them; without `commas` it ends before one."""
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise NoProgram("it is nested too deeply")
        outside = len(self._known)
        self._operand()
        while self.next in _OPERATORS and self.kind in ("sign", "name") and (commas or self.next != ","):
            self._advance()
            self._operand()
        # What was named within holds up to the end of that, and no further.
        self._known.forget_from(outside)
        self._nested -= 1

    def _operand(self) -> None:
        while self._begins():
            pass
        self._value()
        if self._takes("as"):
            self._patterns()
            self._expect("|")
            self._operand_again()

    def _operand_again(self) -> None:
        # `. as $x | . as $y | …` is as deep as it is long.
        self._nested += 1
        if self._nested > 5 * _MOST_NESTED:
            raise NoProgram("it names too much")
        self._operand()
        self._nested -= 1

    def _begins(self) -> bool:
        """Read what may stand before a value: a sign, a function's definition, a label."""
        if self._takes("-"):
            return True
        if self._takes("def"):
            self._definition()
            return True
        if self._takes("label"):
            self._known.add(f"*{self._variable()}")
            self._expect("|")
            return True
        return False

    def _definition(self) -> None:
        name, outside = self._name(), len(self._known)
        self._known.add(name)
        if self._takes("("):
            self._parameter()
            while self._takes(";"):
                self._parameter()
            self._expect(")")
        self._expect(":")
        self.expression()
        self._expect(";")
        self._known.forget_from(outside + 1)

    def _parameter(self) -> None:
        if self.kind == "variable":
            named = self._variable()
            self._known.add(named, named.removeprefix("$"))
        else:
            self._known.add(self._name())

    def _name(self) -> str:
        if self.kind != "name" or self.next in KEYWORDS:
            raise NoProgram(f"a name is missing before {self.shown}")
        return self._advance()

    def _variable(self) -> str:
        if self.kind != "variable":
            raise NoProgram(f"a name with $ is missing before {self.shown}")
        return self._advance()

    def _value(self) -> None:
        """Read one value, with all that leads further into it."""
        self._simple()
        while self.kind == "field" or self.next in ("[", "?", "."):
            if self._takes("["):
                self._index()
            elif self._takes("."):
                self._behind_dot()
            else:
                self._advance()

    def _behind_dot(self) -> None:
        if self.kind == "quote":
            self._string()
        elif self._takes("["):
            self._index()
        else:
            raise NoProgram(f"a name is missing between `.` and {self.shown}")

    def _index(self) -> None:
        """Read what stands in `.[…]`: nothing, a value, or a range."""
        if not self._takes("]"):
            if self.next != ":":
                self.expression()
            if self._takes(":") and self.next != "]":
                self.expression()
            self._expect("]")

    def _simple(self) -> None:
        if self.kind == "quote":
            self._string()
        elif self.kind == "format":
            self._advance()
            if self.kind == "quote":
                self._string()
        elif self.kind in ("number", "field"):
            self._advance()
        elif self.kind == "variable":
            self._known_one(self._advance())
        elif self.kind == "name" and self.next not in KEYWORDS:
            self._call()
        elif self.kind in ("name", "sign") and self.next in self._forms:
            self._forms[self._advance()]()
        else:
            raise NoProgram(f"a value is missing before {self.shown}")

    @property
    def _forms(self) -> dict[str, Callable[[], None]]:
        return {
            ".": self._dot,
            "..": lambda: None,
            "[": self._list,
            "{": self._object,
            "(": self._group,
            "if": self._condition,
            "try": self._attempt,
            "reduce": self._loop,
            "foreach": self._loop,
            "break": lambda: self._known_one(f"*{self._variable()}"),
        }

    def _dot(self) -> None:
        if self.kind == "quote":
            self._string()

    def _known_one(self, name: str) -> None:
        if name not in self._known:
            raise NoProgram(f"`{name.removeprefix('*')}` is not defined")

    def _call(self) -> None:
        name = self._advance()
        if name not in BUILT_IN and name not in self._known:
            raise NoProgram(f"`{name}` is no function of jq")
        if self._takes("("):
            self.expression()
            while self._takes(";"):
                self.expression()
            self._expect(")")

    def _list(self) -> None:
        if not self._takes("]"):
            self.expression()
            self._expect("]")

    def _group(self) -> None:
        self.expression()
        self._expect(")")

    def _condition(self) -> None:
        self.expression()
        self._expect("then")
        self.expression()
        while self._takes("elif"):
            self.expression()
            self._expect("then")
            self.expression()
        if self._takes("else"):
            self.expression()
        self._expect("end")

    def _attempt(self) -> None:
        self._part()
        if self._takes("catch"):
            self._part()

    def _part(self) -> None:
        """Read a value that no operator follows."""
        self._takes("-")
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise NoProgram("it is nested too deeply")
        self._value()
        self._nested -= 1

    def _loop(self) -> None:
        outside = len(self._known)
        self._part()
        self._expect("as")
        self._patterns()
        self._expect("(")
        self.expression()
        while self._takes(";"):
            self.expression()
        self._expect(")")
        self._known.forget_from(outside)

    def _patterns(self) -> None:
        self._pattern()
        while self._takes("?//"):
            self._pattern()

    def _pattern(self) -> None:
        """Read `$name`, `[…]` or `{…}` of what a value is taken apart into."""
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise NoProgram("it is nested too deeply")
        if self._takes("["):
            self._several(self._pattern, "]")
        elif self._takes("{"):
            self._several(self._entry_of_pattern, "}")
        else:
            self._known.add(self._variable())
        self._nested -= 1

    def _entry_of_pattern(self) -> None:
        named = self.kind == "variable"
        if named:
            self._known.add(self._variable())
        else:
            self._key()
        if not named or self.next == ":":
            self._expect(":")
            self._pattern()

    def _several(self, one: Callable[[], None], end: str) -> None:
        one()
        while self._takes(","):
            one()
        self._expect(end)

    def _object(self) -> None:
        if not self._takes("}"):
            self._several(self._entry, "}")

    def _entry(self) -> None:
        alone = True
        if self.kind == "variable":
            self._known_one(self._advance())
        else:
            alone = self._key()
        if not alone and self.next != ":":
            raise NoProgram(f"`:` is missing before {self.shown}")
        if self._takes(":"):
            self.expression(commas=False)

    def _key(self) -> bool:
        """Read a key; return whether it may stand alone."""
        if self._takes("("):
            self._group()
            return False
        if self.kind == "format":
            self._advance()
        if self.kind == "quote":
            self._string()
            return True
        if self.kind not in ("name", "number"):
            raise NoProgram(f"a key is missing before {self.shown}")
        return self._advance_over(("name",))

    def _advance_over(self, kinds: Sequence[str]) -> bool:
        was = self.kind in kinds
        self._advance()
        return was

    def _string(self) -> None:
        """Read the rest of a text in quotes, with the values in it."""
        while True:
            self._at = _TEXT.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._text.startswith("\\(", self._at):
                self._at += 2
                self._advance()
                self.expression()
                # Behind the `)` is text again: it is not gone over with `_advance`, which makes tokens.
                if self.next != ")":
                    raise NoProgram(f"`)` is missing before {self.shown}")
            elif self._text.startswith('"', self._at):
                self._at += 1
                self._advance()
                return
            else:
                raise NoProgram("a text in quotes has no end, or a \\ that escapes nothing")
