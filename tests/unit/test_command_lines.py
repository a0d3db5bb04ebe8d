"""Which lines of a comment give a command: what people write around one, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.rules.commands import Command, UnknownCommand, excerpt, parse

STOP = (Command("stop"),)


@pytest.mark.parametrize(
    "body",
    [
        "\r\n/preview stop",
        "\n\n \n/preview stop",
        " /preview stop",
        "   /preview stop",
        "\ufeff/preview stop",
        "\u200b/preview stop",
        "\u2060\u200d\u00ad/preview stop",
        "\u202a/preview stop\u202c",
        "/pre\u200bview st\u00adop",
        "\u3164/preview stop",
        "\u00a0/preview\u00a0stop",
        "\u3000/preview\u2003stop",
        "&nbsp;/preview stop",
        "LGTM, thanks!\r\n\r\n/preview stop",
        "LGTM, thanks!\n/preview stop\nSee you",
        "LGTM\r/preview stop",
        "LGTM\x85/preview stop",
        "LGTM\u2028/preview stop",
        "LGTM\u2029/preview stop",
        "LGTM\x0b/preview stop",
        "LGTM\x0c/preview stop",
        "a paragraph that goes on\n    /preview stop",
        "`/preview stop`",
        "Thanks!\n\n`/preview stop`\n",
        "<!-- saved reply -->\n/preview stop",
        "<!-- saved\nreply -->\n\n/preview stop",
        "<!-- saved reply --> /preview stop",
        "/preview stop <!-- saved reply -->",
        "/preview: stop",
        "/preview, stop",
        "/preview stop.",
        "/preview stop!",
        "/preview stop\\\nthanks",
        "/preview stop<br>",
        "/Preview STOP",
        "**/preview stop**",
        "_/preview stop_",
        "# /preview stop",
        "<b>/preview stop</b>",
        "/preview stop\n---\nthat is it",
        "@previewbot /preview stop",
        "@acme-previews[bot], /preview stop",
        "> what you said\n\n/preview stop",
        "> ```\n/preview stop",
        "- a list\n\n/preview stop",
        "```\ncode\n```\n/preview stop",
        "~~~\n```\n~~~\n/preview stop",
        "<details><summary>why</summary>\n\nlong\n\n</details>\n\n/preview stop",
        "<details>\n/preview stop\n</details>",
        "<blockquote>\n\nyou said\n\n</blockquote>\n\n/preview stop",
        "Thanks!<br>/preview stop",
        "Thanks!<br/>/preview stop<br/>see you",
        "<p>Thanks!</p><p>/preview stop</p>",
        "<div>\n```\n</div>\n\n/preview stop",
        "> a\n<div>\n/preview stop",
        '[a]: https://example.com "a title"\n/preview stop',
        "Is 1 <2?\n/preview stop",
        "<b>Is 1 >2?</b>\n/preview stop",
        "An open ` mark\n\n/preview stop",
        "[1]: https://example.com\n/preview stop",
    ],
)
def test_a_command_is_obeyed_in_whatever_line_it_stands(body: str) -> None:
    assert parse(body) == STOP


@pytest.mark.parametrize(
    "body",
    [
        "```\n/preview stop\n```",
        "```sh\n/preview stop\n```",
        "````\n```\n/preview stop\n````",
        "~~~~\n```\n/preview stop\n~~~\n/preview stop",
        "```\n/preview stop",
        "```\nx\u2028```\n/preview stop\n```",
        "- step\n  ```\n  /preview stop\n  ```",
        "> ```\n> /preview stop\n> ```",
        "    /preview stop",
        "\t/preview stop",
        "text\n\n    /preview stop",
        "text\n\n\t/preview stop",
        "- step\n\n      /preview stop",
        "see `a\n/preview stop\nb` there",
        "> /preview stop",
        ">/preview stop",
        ">> /preview stop",
        "On Monday Ann wrote:\n> /preview stop\n>\n> thanks",
        "- > /preview stop",
        "<blockquote>\n\n/preview stop\n\n</blockquote>",
        "<pre>\n/preview stop\n\n/preview stop\n</pre>",
        "<code>/preview stop</code>",
        "<pre><code>\n/preview stop\n</code></pre>",
        "<!--\n/preview stop\n-->",
        "<!-- a\n\n/preview stop\n",
        "text <!--\n/preview stop\n--> text",
        "<!-- a --> <!-- b\n/preview stop\n-->",
        "<details><!-- a\n\n/preview stop\n\n--></details>",
        '<a title="\n/preview stop\n">x</a>',
        '[//]: # "\n/preview stop\n"',
        "[//]: # (\n/preview stop\n)",
        '[a]: x "y"\n[b]: # "\n/preview stop\n"',
        '[a]: # "\\"\n/preview stop\n"',
        "[a]:\n/preview",
        '[a]: see "/preview stop',
        '[a]: see "/preview stop" there',
        "[ ]: try (/preview stop is the command",
        "text <?\n/preview stop\n?>",
        "text <!X\n/preview stop\nx>",
        "text <![CDATA[\n/preview stop\n]]>",
        '<a title="<\n/preview stop\n">x</a>',
        "<a title='>\n/preview stop\n'>x</a>",
        "> <!-- a\n\n/preview stop",
        "> <!--\n/preview stop",
        "* <!--\n\n/preview stop",
        "> <?\n/preview stop",
        "<tt>/preview stop</tt>",
        "&nbsp;<code>/preview stop</code>",
        "\u200b<code>/preview stop</code>",
        "@previewbot <code>/preview stop</code>",
        "**<code>/preview stop</code>**",
        "\u200b<q>/preview stop</q>",
        "<div>\n```\n\n```\n/preview stop\n```",
        "text\n<div><!-- a\n\n/preview stop\n\n--></div>",
        "[a]: https://example.com\n    /preview stop",
        "<kbd>/preview stop</kbd>",
        "Please /preview stop",
        "preview stop",
        "/ preview stop",
        "/preview/index.html",
        "/preview/foo answers 404",
        "/preview/stop answers 404",
        "/preview.yaml is missing",
        "/previews are slow today",
        "/previews/42",
        "| /preview stop |",
        "- `/preview stop` stops it",
        "- /preview stops",
        "- /preview is what you write",
        "https://example.com/preview stop",
    ],
)
def test_what_is_quoted_or_code_or_hidden_or_prose_is_no_command(body: str) -> None:
    assert parse(body) == ()


@pytest.mark.parametrize(
    "body",
    [
        "- /preview stop",
        "* /preview stop",
        "1. /preview stop",
        "- [ ] try it\n- /preview stop",
        "> what you said\n/preview stop",
        "> a\n> b\n/preview stop",
        "@ann /preview stop",
        "\\/preview stop",
        "Say <code> here\n\n/preview stop",
        "Say <pre>\n/preview stop",
        "<blockquote>\n\n/preview stop",
        "<li>/preview stop</li>",
        "> a\n<div>\n</h1>/preview stop",
        '<div><a title="\n/preview stop',
        "<details><!-- a\n\n-->\n\n/preview stop\n\n</details>",
        "<div>`<!--`\n/preview stop",
        "``/preview stop``x\n\n```/preview stop```",
    ],
)
def test_where_a_command_is_more_likely_told_of_it_is_answered_and_not_obeyed(body: str) -> None:
    assert parse(body) == (UnknownCommand("/preview stop", "/preview stop", apart=True),)


@pytest.mark.parametrize(
    ("body", "suggestion"),
    [
        ("/preview-stop", "/preview stop"),
        ("/preview_stop", "/preview stop"),
        ("/preview:stop", "/preview stop"),
        ("/preview,stop", "/preview stop"),
        ("/preview=stop", "/preview stop"),
        ("/previewstop", "/preview stop"),
        ("/previews stop", "/preview stop"),
        ("/previews", "/preview"),
        ("/preview/stop", "/preview stop"),
        ("/preview-delete", "/preview stop"),
    ],
)
def test_a_word_that_goes_on_behind_preview_is_answered_with_what_it_may_have_meant(
    body: str, suggestion: str
) -> None:
    assert parse(body) == (UnknownCommand(body, suggestion),)


_PIECES = [
    *("/preview", "/Preview ", "/preview stop", "start", "extend 2h", "stop", "@bot ", "@preview "),
    *(
        " ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\x85",
        "\u2028",
        "\x1c",
        "\ufeff",
        "&nbsp;",
        ".",
        ":",
        "\\",
    ),
    *(
        "`",
        "``",
        "```",
        "\\`",
        "~~~",
        "<!--",
        "-->",
        "<!-",
        "|",
        ">",
        "> ",
        "- ",
        "1. ",
        "* ",
        "# ",
        "**",
        "_",
    ),
    *("<br>", "<?", "?>", "<!X", '"', "'", "<a ", "<p>", "<li>", "[a]: b ", "\\/preview stop"),
    *("<code>", "</code>", "<pre>", "</pre>", "<details>", "<b ", "[a]: b (", " " * 600, "x" * 500),
]
_BODIES = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=30).map("".join)


@given(_BODIES)
@example("<!-<!--a-->- \n/preview stop\n-->")
@example("\\```/preview")
@example("/preview a <code>\n\n</code>\n\n/preview b </code>")
@example("/preview a `\n\n/preview b `")
@example("**/preview " + "x" * 600 + "**")
def test_what_is_kept_of_a_comment_gives_the_same_commands(body: str) -> None:
    kept = excerpt(body)

    assert parse(kept) == parse(body)
    assert excerpt(kept) == kept
    assert len(kept) < 6_000
