"""The pictures of a preview over HTTP: who is shown which, from a worker that answers whatever it likes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from markdown_it import MarkdownIt

from previewbot.api import Device, NoPicture, Phase, Picture, Pictures, PictureState, Preview, Proven, Side
from previewbot.clients.pictures_for_pages import PicturesForPages
from previewbot.engine.view import view_of
from previewbot.rules.pictures import MOST_BYTES, public_part
from previewbot.text.render import Renderer
from tests.support.people import URL, Site, settings
from tests.support.previews import HEAD, OLDER
from tests.support.worker_of_pictures import SECRET
from tests.unit.test_pages_for_people import a_ready_one, a_site, as_, look

NAME, ADDRESS = "gh-812-42", f"/p/812/42/pictures/{HEAD}/0-phone-after.png"
NEWER = b"fedcba9876543210fedcba9876543210"
PART = public_part(SECRET, NAME, HEAD)
PUBLIC = f"/p/812/42/pictures/{HEAD}/{PART}/0-phone-after.png"
PNG = b"\x89PNG and so on"
SET = {"url": "http://pictures:8080", "token_file": "/nowhere/token"}


class Worker(BaseHTTPRequestHandler):
    """Answers what a test sets, and keeps what was asked with which secret."""

    status, content_type, body, length = 200, "image/png", PNG, ""
    drips: ClassVar[list[bytes]] = []
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        here = type(self)
        here.asked.append((self.path, self.headers["Authorization"]))
        if here.drips:
            self.drip(*here.drips)
            return
        self.send_response(here.status)
        self.send_header("Content-Type", here.content_type)
        self.send_header("Content-Length", here.length or str(len(here.body)))
        self.send_header("Location", "http://elsewhere.example.com/")
        self.end_headers()
        self.wfile.write(here.body)

    def drip(self, at_once: bytes, piece: bytes) -> None:
        """Send a piece again and again, each long before anybody would wait for it in vain."""
        with suppress(OSError):
            self.wfile.write(at_once)
            while True:
                self.wfile.write(piece)
                time.sleep(0.02)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Worker) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def as_it_should() -> None:
    Worker.status, Worker.content_type, Worker.body, Worker.length = 200, "image/png", PNG, ""
    Worker.asked.clear()
    Worker.drips.clear()


def pictured(*, fork: bool = False) -> Preview:
    """Return a ready preview with pictures of `/cart`: of one there is none, and the words say why."""
    taken = tuple(Picture("/cart", device, side, PictureState.TAKEN) for device in Device for side in Side)
    blank = replace(taken[0], state=PictureState.REFUSED, why=NoPicture.STATUS, answered=500)
    preview = a_ready_one(pictures=Pictures(HEAD, "of", None, (blank, *taken[1:]), PART))
    observed = replace(preview.status.observed, fork=fork)
    return replace(preview, status=replace(preview.status, observed=observed))


def with_these(preview: Preview, pictures: Pictures) -> Preview:
    return replace(preview, status=replace(preview.status, pictures=pictures))


def a_gallery(
    address: str,
    preview: Preview | None = None,
    *,
    public: bool = False,
    seconds: float = 30.0,
    **values: object,
) -> Site:
    source = PicturesForPages(
        address, lambda: (NEWER, SECRET), user_agent="tests", seconds=seconds, at_once=2
    )
    site = a_site(preview or pictured(), pictures={**SET, "public": public}, **values)
    site.source = source
    site.app = site.pages()
    return site


@pytest.mark.parametrize(("login", "status"), [("", 404), ("mallory", 404), ("rob", 200), ("maria", 200)])
@pytest.mark.parametrize("pages", ["private", "public"])
def test_a_picture_is_for_whoever_may_read_the_words(
    address: str, login: str, status: int, pages: str
) -> None:
    site = a_gallery(address, pages=pages)
    answer = look(as_(site, login), ADDRESS)

    assert answer.status_code == status
    assert ("Before and after" in look(as_(site, login)).text) is (status == 200)
    if status == 200:
        assert (answer.data, answer.mimetype) == (PNG, "image/png")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert Worker.asked == [(f"/previews/{NAME}/{HEAD}/0-phone-after.png", f"Bearer {NEWER.decode()}")]
    else:
        assert Worker.asked == []


def test_the_page_shows_before_beside_after_and_says_in_words_what_is_no_evidence(address: str) -> None:
    page = look(as_(a_gallery(address), "rob"))

    assert f'<img src="{ADDRESS}" width="390" height="844"' in page.text
    assert "<code>/cart</code> answered 500." in page.text
    assert "0-phone-before.png" not in page.text
    assert f"commit {HEAD[:7]}. Before is staging" in page.text
    assert "img-src 'self'" in page.headers["Content-Security-Policy"]
    older = pictured()
    older = with_these(older, replace(older.status.pictures, sha=OLDER))
    assert "which is not what runs now" in look(as_(a_gallery(address, older), "rob")).text


def test_what_is_taken_anew_is_said_on_the_page_and_goes_on_standing_in_the_comment(address: str) -> None:
    preview = pictured()
    pictures = preview.status.pictures
    again = tuple(replace(each, state=PictureState.AGAIN, why=None) for each in pictures.taken)
    preview = with_these(preview, replace(pictures, taken=again))
    site = a_gallery(address, preview)

    assert look(as_(site, "rob")).text.count("Being taken anew.") == 4
    assert look(as_(site, "rob"), ADDRESS).data == PNG
    view = view_of(settings(pictures={**SET, "public": True}), preview)
    assert Renderer().comment(view).count("<img") == 4


WORDS = {
    "sleeps": (Phase.IDLE, HEAD, "Not taken while it sleeps."),
    "another runs": (Phase.READY, OLDER, "There is none any more."),
    "due": (Phase.READY, HEAD, "Not taken yet."),
}


@pytest.mark.parametrize(("phase", "sha", "words"), WORDS.values(), ids=WORDS)
def test_why_one_is_not_there_yet_is_said_as_it_is(address: str, phase: Phase, sha: str, words: str) -> None:
    preview = pictured()
    pictures = preview.status.pictures
    due = tuple(replace(each, state=PictureState.PENDING, why=None) for each in pictures.taken)
    preview = with_these(preview, replace(pictures, sha=sha, taken=due))
    services = tuple(replace(each, phase=phase) for each in preview.status.services)
    preview = replace(preview, status=replace(preview.status, phase=phase, services=services))

    assert look(as_(a_gallery(address, preview), "rob")).text.count(words) == 4
    view = view_of(settings(pictures={**SET, "public": True}), preview)
    assert "Before and after" not in Renderer().comment(view)


@pytest.mark.parametrize("proven", [None, *Proven])
def test_where_it_is_not_known_whose_answer_it_is_that_is_said(address: str, proven: Proven | None) -> None:
    preview = pictured()
    link = replace(preview.status.link, proven=proven)
    preview = replace(preview, status=replace(preview.status, link=link))
    view = view_of(settings(pictures={**SET, "public": True}), preview)
    words = "It is not known whether the pull request"

    known = proven is Proven.YES
    assert (words in look(as_(a_gallery(address, preview), "rob")).text) is not known
    comment = Renderer().comment(view)
    assert (words in comment) is not known
    assert rows(comment) == rows(Renderer().comment(replace(view, pictures_url=""))) + 3


@pytest.mark.parametrize("path", [ADDRESS, PUBLIC])
def test_of_what_is_over_nothing_is_shown_whatever_its_status_still_has(address: str, path: str) -> None:
    over = pictured()
    over = replace(over, status=replace(over.status, phase=Phase.STOPPED))
    site = a_gallery(address, over, public=True)

    assert look(as_(site, "rob"), path).status_code == 404
    assert "Before and after" not in look(as_(site, "rob")).text
    assert Worker.asked == []


NOT_THERE = [
    ADDRESS.replace("after", "before"),
    ADDRESS.replace(HEAD, OLDER),
    ADDRESS.replace("0-phone", "7-phone"),
    ADDRESS.replace("0-phone-after", "x"),
    ADDRESS.replace("/812/42/", "/812/43/"),
]


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_was_not_taken_is_not_asked_for(address: str, path: str) -> None:
    assert look(as_(a_gallery(address), "rob"), path).status_code == 404
    assert Worker.asked == []


@pytest.mark.parametrize("pages", ["private", "public"])
def test_in_public_an_address_that_nobody_guesses_shows_it_to_anybody(address: str, pages: str) -> None:
    site = a_gallery(address, public=True, pages=pages)
    read = site.cluster.read
    answer = look(site.browser(), PUBLIC)

    assert (answer.status_code, answer.data) == (200, PNG)
    # Its secret is being changed: the address of the one before counts, and that of the newer one.
    assert look(site.browser(), PUBLIC.replace(PART, public_part(NEWER, NAME, HEAD))).data == PNG
    for guessed in (PUBLIC.replace(PART, "0" * 48), PUBLIC.replace("/42/", "/43/"), ADDRESS):
        refused = look(site.browser(), guessed)
        assert refused.status_code == 404
        assert "Not open now" in refused.text
    # What is guessed asks the cluster nothing.
    assert pages == "public" or site.cluster.read == read + 2


@pytest.mark.parametrize(("public", "fork"), [(False, False), (True, True)])
def test_else_and_of_a_fork_it_shows_it_to_nobody(address: str, public: bool, fork: bool) -> None:
    site = a_gallery(address, pictured(fork=fork), public=public)

    assert look(site.browser(), PUBLIC).status_code == 404
    assert look(as_(site, "maria"), ADDRESS).status_code == (404 if fork else 200)


WRONG = {
    "none": ({"status": 404}, 404),
    "an error": ({"status": 500}, 503),
    "another place": ({"status": 302}, 503),
    "a page": ({"content_type": "text/html"}, 503),
    "too large": ({"length": str(MOST_BYTES + 1)}, 503),
    "no length": ({"length": "x"}, 503),
}


@pytest.mark.parametrize(("answer", "status"), WRONG.values(), ids=WRONG)
def test_whatever_the_worker_answers_nothing_but_a_picture_is_handed_on(
    address: str, answer: dict[str, object], status: int
) -> None:
    for name, value in answer.items():
        setattr(Worker, name, value)

    found = look(as_(a_gallery(address), "rob"), ADDRESS)

    assert (found.status_code, found.mimetype) == (status, "text/html")


HEADERS = b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4000\r\n"


@pytest.mark.parametrize(
    ("at_once", "piece", "status"),
    [(HEADERS + b"\r\n", b"x", 200), (HEADERS, b"X-More: 1\r\n", 503), (HEADERS, b"x", 503)],
    ids=["body", "headers", "one header"],
)
def test_what_comes_byte_by_byte_is_cut_off_when_its_time_is_over(
    address: str, at_once: bytes, piece: bytes, status: int
) -> None:
    Worker.drips[:] = [at_once, piece]
    began = time.monotonic()

    found = look(as_(a_gallery(address, seconds=0.5), "rob"), ADDRESS)

    assert found.status_code == status
    assert status != 200 or 0 < len(found.data) < 4000
    assert 0.4 < time.monotonic() - began < 4


def test_only_so_many_are_fetched_at_once_and_one_that_nobody_reads_gives_its_place_back(
    address: str,
) -> None:
    site = a_gallery(address)
    browser = as_(site, "rob")
    open_ones = [browser.get(ADDRESS, base_url=URL) for _ in range(2)]
    assert [each.status_code for each in open_ones] == [200, 200]

    refused = look(browser, ADDRESS)
    assert (refused.status_code, len(Worker.asked)) == (503, 2)
    assert "The worker of pictures" in refused.text

    open_ones[0].close()
    for _ in range(3):
        with browser.head(ADDRESS, base_url=URL) as answer:
            assert answer.status_code == 200
    assert look(browser, ADDRESS).data == PNG


def test_a_worker_that_is_away_is_told_of(address: str) -> None:
    site = a_gallery("http://127.0.0.1:1")

    found = look(as_(site, "rob"), ADDRESS)
    assert found.status_code == 503
    assert "The worker of pictures" in found.text


@pytest.mark.parametrize(
    ("values", "fork", "shown"),
    [({"public": True}, False, True), ({"public": True}, True, False), ({"public": False}, False, False)],
)
def test_the_comment_has_them_only_where_they_are_public_and_never_those_of_a_fork(
    values: dict[str, bool], fork: bool, shown: bool
) -> None:
    view = view_of(settings(pictures={**SET, **values}), pictured(fork=fork))
    comment = Renderer().comment(view)

    assert (f'<img src="{URL}{PUBLIC}" width="195" alt="after, on a phone">' in comment) is shown
    assert ("| `/cart` answered 500. |" in comment) is shown
    assert (HEAD in comment.partition("Before and after")[2].partition("</details>")[0]) is shown
    assert "0-phone-before" not in comment
    others = Renderer().comment(replace(view, pictures_url=""))
    assert rows(comment) - rows(others) == (3 if shown else 0)


def rows(comment: str) -> int:
    return str(MarkdownIt().enable("table").render(comment)).count("<tr>")
