"""Comments as the demo's pages show them: rendered, and harmless whatever they say."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot_demo.github.markdown import render

SHOWN = {
    "a heading": ("### Ready", "<h3>Ready</h3>"),
    "a link": (
        "[open](https://x.example/cart)",
        '<a href="https://x.example/cart" rel="nofollow noopener">open</a>',
    ),
    "a table": ("| a |\n|---|\n| b |", "<td>b</td>"),
    "code": ("`/preview`", "<code>/preview</code>"),
    "a fence": ("```sh\na < b\n```", '<pre><code class="language-sh">a &lt; b\n</code></pre>'),
    "a fold around Markdown": (
        "<details><summary>What runs</summary>\n\n**bold**\n\n</details>",
        "<details><summary>What runs</summary>\n<p><strong>bold</strong></p>\n</details>",
    ),
    "a warning": (
        "> [!WARNING]\n> Others see it.",
        '<blockquote class="alert-warning">\n<p><strong>Warning</strong><br>\nOthers see it.</p>',
    ),
    "a quotation that only speaks of one": ("> a [!WARNING]", "<p>a [!WARNING]</p>"),
    "a picture": (
        '<img src="https://x.example/a.png" width="195" alt="before" onload="x">',
        '<img src="https://x.example/a.png" width="195" alt="before">',
    ),
    "small print": ("<sub>small</sub><br>x", "<p><sub>small</sub><br>x</p>"),
}
HIDDEN = {
    "a hidden marker": "<!-- previewbot key=p1 -->",
    "a marker that does not end": "<!-- previewbot",
    "a script": "<script>alert(1)</script>",
    "a handler": '<details onclick="alert(1)">x</details>',
    "a handler on a tag that may not be": '<img src=x onerror="alert(1)">',
    "a picture that is a script": "<img src='javascript:previewbot'>",
    "a link to a script": "[x](javascript:alert(1))",
    "a link to a script in HTML": '<a href="javascript:alert(1)">x</a>',
    "a style": "<style>*{display:none}</style>",
    "a frame": '<iframe src="https://x.example">alert(1)</iframe>',
}


@pytest.mark.parametrize(("text", "html"), SHOWN.values(), ids=SHOWN.keys())
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert html in render(text)


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_could_do_harm_or_is_hidden_is_not_there(text: str) -> None:
    html = render(text)

    for word in (
        "previewbot",
        "onclick",
        "onerror",
        'href="javascript',
        "<script",
        "<style",
        "<iframe",
        "<!--",
    ):
        assert word not in html


def test_a_tag_left_open_or_never_opened_cannot_reach_beyond_the_comment() -> None:
    assert render("<details>open").count("</details>") == 1
    assert "</details>" not in render("closed</details>")


PIECES = st.sampled_from(
    (
        *("<details>", "</details>", "<summary>", "<script>", "</script>", "<!--", "-->", "<p"),
        *("<img src=x onerror=y>", '<a href="data:x">', "](javascript:x)", "[", "&lt;", "text"),
        *("`", "**", "\n\n", "| a |\n|---|\n", "> ", "- "),
    )
)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("br", "hr", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_written_its_tags_are_closed_and_few(text: str) -> None:
    tags = _Tags()
    tags.feed(render(text))
    tags.close()

    assert not tags.open
    assert not tags.names & {"script", "style", "iframe"}
    assert tags.attributes <= {"href", "title", "alt", "rel", "class", "start", "open", "style"}
