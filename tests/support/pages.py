"""A page as a browser reads it."""

from __future__ import annotations

from html.parser import HTMLParser

INLINE = frozenset({"a", "code", "span", "strong", "time"})
VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})


class Page(HTMLParser):
    """What a browser makes of a page; fails where its tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.style = ""
        self.script = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += "" if tag in INLINE else " "
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.style += data
        elif "script" in self._open:
            self.script += data
        else:
            self.text += data

    @property
    def links(self) -> dict[str, str]:
        """The addresses that the page leads to, with their class."""
        return {str(a["href"]): str(a.get("class") or "") for tag, a in self.tags if tag == "a"}

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(self.text.split())

    def meta(self, name: str) -> str | None:
        """Return what a meta element says."""
        return next((a["content"] for t, a in self.tags if t == "meta" and a.get("name") == name), None)

    def looks_again(self) -> int:
        """Return after how many seconds the page asks for news, 0 if only when somebody comes back to it."""
        return next(int(str(a["data-again"])) for tag, a in self.tags if tag == "main")

    def refresh(self) -> int | None:
        """Return after how many seconds the page loads itself again without JavaScript; None for never."""
        found = (int(str(a["content"])) for _, a in self.tags if a.get("http-equiv") == "refresh")
        return next(found, None)
