"""What a log may say to readers: never a secret, always enough to see what happened."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.masking import BYTES, LINE_LENGTH, LINES, MASK, excerpt, mask_secrets, one_line

SECRET = "hunter2"
LINES_WITH_SECRETS = (
    "connecting to postgres://shop:hunter2@db:5432/shop",
    "pulling from https://robot:p/hunter2@registry.example.com/v2/",
    "DB_PASSWORD=hunter2",
    "password: 'hunter2 and more hunter2'",
    '{"level": "info", "password": "hunter\\"hunter2", "user": "shop"}',
    '{"body": "{\\"api_key\\":\\"hunter2\\"}"}',
    "{'client_secret': b'hunter2'}",
    "config[:secret_key_base] => hunter2",
    'os.environ["STRIPE_TOKEN"] = "hunter2"',
    "Authorization: Basic hunter2",
    "authorization=hunter2 more hunter2",
    'curl -H "X-Api-Key: hunter2" http://catalog',
    "Set-Cookie: sid=hunter2; path=/; theme=hunter2",
    "sent Bearer hunter2.hunter2",
    "mysql --user shop --password hunter2 shop",
    "redis-cli --auth-token='hunter2'",
    "export AWS_SECRET_ACCESS_KEY=hunter2",
    "Server=db;Uid=shop;Pwd=hunter2;",
    "GET /login?user=shop&session_id=hunter2&x=1",
    "RABBITMQ_DEFAULT_PASS=hunter2",
    "export PGPASS=hunter2",
    "{'db.pass': 'hunter2'}",
    "host=db user=shop pass=hunter2",
    "PW=hunter2",
    "<password>hunter2</password>",
    '<db:secret kind="plain">hunter2</db:secret>',
    "curl -u admin:hunter2 http://catalog",
    "curl --user=admin:hunter2 http://catalog",
    "jdbc:oracle:thin:scott/hunter2@db:1521/shop",
)
TOKENS = (
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghijkl",
    "sk_live_abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "0af7651916cd43dd8448eb211c80319c",
)
HARMLESS = (
    "KeyError: 'DB_PASSWORD'",
    'password authentication failed for user "shop"',
    'File "/usr/lib/python3.12/site-packages/flask/app.py", line 12, in wsgi_app',
    "at Object.<anonymous> (/app/src/routes/checkout/handlers/createPaymentIntent.js:12:3)",
    "checkout-7d9f8b6c5d-x2x8k: listening on 0.0.0.0:8080",
    "org.springframework.beans.factory.support.DefaultListableBeanFactory",
    "ImportError: cannot import name load_staging_configuration_v2",
    "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available",
    "panic: runtime error: index out of range [5] with length 3",
    "ghcr.io/acme/web@sha256:" + "ab12" * 16,
    "2026-11-24T09:00:00.000Z INFO GET /cart 200 12ms",
    "compass: north; bypass=1; passenger=2",
    "<div>no secret in here</div>",
)


@pytest.mark.parametrize("line", LINES_WITH_SECRETS)
def test_a_secret_by_its_name_or_place_is_masked(line: str) -> None:
    assert SECRET not in mask_secrets(line)
    assert MASK in mask_secrets(line)


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_masked_wherever_it_stands(token: str) -> None:
    assert mask_secrets(f"refused {token}, tried ({token})") == f"refused {MASK}, tried ({MASK})"


@pytest.mark.parametrize("line", HARMLESS)
def test_what_helps_the_reader_stays(line: str) -> None:
    assert mask_secrets(line) == line


@pytest.mark.parametrize(
    "alphabet",
    [
        string.ascii_letters,
        string.ascii_letters + string.digits + "+/",
        string.ascii_lowercase + "0123456789",
    ],
)
def test_almost_nothing_drawn_by_lot_stays(alphabet: str) -> None:
    lot = random.Random(1)
    words = ["".join(lot.choices(alphabet, k=40)) for _ in range(1_000)]

    assert sum(mask_secrets(word) != MASK for word in words) < 15


def test_the_inside_of_a_private_key_is_left_out_also_if_its_beginning_is_cut_off() -> None:
    whole = "before\n-----BEGIN RSA PRIVATE KEY-----\nabc\ndef=\n-----END RSA PRIVATE KEY-----\nafter"
    rest = "abc\ndef=\n-----END PRIVATE KEY-----\nafter"
    open_end = "before\n-----BEGIN PRIVATE KEY-----\nabc"

    assert excerpt(whole) == ("before", MASK, MASK, "after")
    assert excerpt(rest) == (MASK, "after")
    assert excerpt(open_end) == ("before", MASK)


def test_colours_and_what_hides_other_characters_go() -> None:
    assert excerpt("\x1b[31mred\x1b[0m\x07 and \u202ereversed\r\nnext\x00") == ("red and reversed", "next")


def test_the_last_lines_are_kept() -> None:
    text = "\n".join(f"line {number}" for number in range(100))

    assert excerpt(text) == tuple(f"line {number}" for number in range(80, 100))


def test_a_secret_at_the_cut_is_masked_whole() -> None:
    line = "x" * (LINE_LENGTH - 12) + " password=" + SECRET * 10

    assert SECRET[:2] not in excerpt(line)[0][LINE_LENGTH - 12 :]


@given(st.text(max_size=6_000))
def test_whatever_a_log_says_the_excerpt_is_small(text: str) -> None:
    lines = excerpt(text)

    assert len(lines) <= LINES
    assert sum(len(line.encode()) + 1 for line in lines) <= BYTES
    assert all(len(line) <= LINE_LENGTH for line in lines)
    assert not {"\x1b", "\r", "\n", "\x00", "\u202e"} & set("".join(lines))


@pytest.mark.parametrize(
    "char", ["a", "-", "=", '"', "\\", "a://", "eyJ", "password", "token\\", " ", "\x1b["]
)
@pytest.mark.timeout(20)
def test_no_log_keeps_us_busy(char: str) -> None:
    long = (char * 65_536)[:65_536]

    excerpt(f"{long}\n" * LINES)
    one_line(long)
