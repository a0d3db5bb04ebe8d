"""Somebody wants to be whom a sign-on proxy let in, without it.

Attack: the proxy's header from an address that is not the proxy's, behind an `X-Forwarded-For` that is, or
beside the one that the proxy adds; an assertion that is unsigned, signed with a secret, with another's key or
with the public key as a secret, one for other pages, by another proxy, one that has ended or begins later.
Expected: whoever sends it is nobody, and is answered as if they had sent nothing; the log says why, and is
not filled with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from previewbot.errors import SettingsError
from previewbot.people.assertions import assertion_keys
from tests.support.previews import NOW
from tests.support.proxied import (
    BY_ASSERTION,
    BY_HEADER,
    EMAIL,
    HEADER,
    JWKS,
    KEY,
    PROXY,
    STRANGER,
    Behind,
    claims,
    jwks_of,
    signed,
)
from tests.unit.test_pages_by_proxy import SAYS, behind
from tests.unit.test_pages_for_people import ADDRESS

ANOTHER = ec.generate_private_key(ec.SECP256R1())
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)


def unlike_nobody(site: Behind, headers: Any, peer: str = PROXY) -> bool:
    """Return whether somebody is answered otherwise than nobody is, by the page or by its JSON."""
    for path in (ADDRESS, f"{ADDRESS}.json"):
        theirs, nobodys = site.get(path, headers, peer), site.get(path, {}, peer)
        for answer in (theirs, nobodys):
            # The second in which it was answered.
            answer.headers.pop("Date", None)
        if (theirs.status_code, theirs.data, theirs.headers) != (
            nobodys.status_code,
            nobodys.data,
            nobodys.headers,
        ):
            return True
    return False


@pytest.mark.parametrize("pages", ["private", "public"])
@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        (SAYS, STRANGER),
        ({**SAYS, "X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"}, STRANGER),
        (SAYS, "127.0.0.1"),
        (SAYS, "::1"),
        (SAYS, ""),
        (SAYS, "10.20.0.5.example.com"),
        ([("X-Forwarded-Email", "ceo@acme.example"), ("X-Forwarded-Email", EMAIL)], PROXY),
        ({"X-Forwarded-Email": " "}, PROXY),
        ({"X-Forwarded-Email": "a" * 255}, PROXY),
        ({"X-Forwarded-Email": "a\x07b"}, PROXY),
        ({"X-Forwarded-Email": "a\xe2\x80\xaeb"}, PROXY),
    ],
)
def test_a_header_of_nobody_who_is_the_proxy_is_none(pages: str, headers: Any, peer: str) -> None:
    assert not unlike_nobody(behind(BY_HEADER, pages=pages), headers, peer)


def test_the_proxy_is_believed_by_both_kinds_of_addresses() -> None:
    for peer in (PROXY, f"::ffff:{PROXY}"):
        assert unlike_nobody(behind(BY_HEADER), SAYS, peer)
    six = behind({**BY_HEADER, "from": ["fd00:1::/64"]})
    assert unlike_nobody(six, SAYS, "fd00:1::7")
    assert not unlike_nobody(six, SAYS, "fd00:2::7")


def with_public_key_as_secret() -> str:
    """Return what a library takes that goes by the algorithm which the assertion names (RFC 8725, 2.1)."""
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "one"}, claims())
    )
    # By hand, as the library refuses to sign so itself.
    made = hmac.new(public, head + b"." + body, hashlib.sha256).digest()
    return b".".join((head, body, base64.urlsafe_b64encode(made).rstrip(b"="))).decode()


FORGED: list[Callable[[], str]] = [
    lambda: "nonsense",
    lambda: "a.b.c",
    lambda: "[" * 100_000,
    lambda: jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"}),
    lambda: signed(claims(), "secret" * 8, "HS256"),
    with_public_key_as_secret,
    lambda: signed(claims(), ANOTHER),
    lambda: signed(claims(), ANOTHER, kid="two"),
    lambda: signed(claims(), ANOTHER, kid=None),
    lambda: signed(claims()).rsplit(".", 1)[0] + ".",
    lambda: signed(claims(aud="other.example.com")),
    lambda: signed(claims(aud=None)),
    lambda: signed(claims(iss="https://evil.example.com")),
    lambda: signed(claims(iss=None)),
    lambda: signed(claims(exp=None)),
    lambda: signed(claims(iat=None)),
    lambda: signed(claims(BEFORE)),
    lambda: signed(claims(LATER)),
    lambda: signed(claims(nbf=int(LATER.timestamp()))),
    lambda: signed(claims(exp=float("inf"))),
    lambda: signed(claims(exp=float("nan"))),
    lambda: signed(claims(exp=True)),
    lambda: signed(claims(exp="4000000000")),
    lambda: signed(claims(iat="now")),
    lambda: signed(claims(email=None)),
    lambda: signed(claims(email=["ceo@acme.example"])),
    lambda: signed(claims(email="a\nb")),
]


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("pages", ["private", "public"])
def test_an_assertion_that_does_not_count_is_none(forged: Callable[[], str], pages: str) -> None:
    assert not unlike_nobody(behind(BY_ASSERTION, pages=pages), {HEADER: forged()})


@pytest.mark.parametrize("seconds", [-59, 59])
def test_clocks_may_be_a_minute_apart(seconds: int) -> None:
    site = behind(BY_ASSERTION)
    made = NOW - timedelta(minutes=5) if seconds < 0 else NOW
    said = signed(claims(made + timedelta(seconds=seconds)))
    # Behind: it ended up to a minute ago. Ahead: it is made in up to a minute.
    site.at = NOW if seconds > 0 else NOW - timedelta(seconds=2)

    assert unlike_nobody(site, {HEADER: said})


def test_an_assertion_needs_no_address_and_a_header_beside_it_is_nothing() -> None:
    site = behind(BY_ASSERTION)

    assert unlike_nobody(site, {HEADER: signed(claims())}, STRANGER)
    assert not unlike_nobody(site, SAYS)
    page = site.get(ADDRESS, {HEADER: signed(claims()), "X-Forwarded-Email": "ceo@acme.example"}).text
    assert EMAIL in page
    assert "ceo@" not in page


def test_a_key_that_was_taken_away_counts_no_more_and_without_any_nobody_is_let_in() -> None:
    site = behind(BY_ASSERTION)
    said = {HEADER: signed(claims())}
    assert unlike_nobody(site, said)

    site.jwks = jwks_of(("two", ANOTHER))
    assert not unlike_nobody(site, said)
    site.jwks = b"nothing"
    assert not unlike_nobody(site, said)
    site.jwks = JWKS
    assert unlike_nobody(site, said)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_keys_of_each_algorithm_that_counts_are_taken_and_the_others_are_passed_over() -> None:
    strong, weak = (rsa.generate_private_key(65537, bits) for bits in (2048, 1024))
    edwards = ed25519.Ed25519PrivateKey.generate()
    curve = ec.generate_private_key(ec.SECP384R1())
    listed = json.loads(jwks_of(("rsa", strong), ("weak", weak), ("es384", curve)))["keys"]
    named = jwt.algorithms.OKPAlgorithm.to_jwk(edwards.public_key(), as_dict=True) | {"kid": "ed"}
    content = json.dumps({"keys": [*listed, named, {"kty": "new"}, 7]}).encode()

    found = assertion_keys(Path("/keys"), content)

    assert [(key.id, key.algorithm) for key in found] == [("rsa", "RS256"), ("ed", "EdDSA")]
    site = behind(BY_ASSERTION)
    site.jwks = content
    assert unlike_nobody(site, {HEADER: signed(claims(), strong, "RS256", "rsa")})
    assert unlike_nobody(site, {HEADER: signed(claims(), edwards, "EdDSA", "ed")})
    assert not unlike_nobody(site, {HEADER: signed(claims(), weak, "RS256", "weak")})
    assert not unlike_nobody(site, {HEADER: signed(claims(), strong, "RS512", "rsa")})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no JSON Web Key Set"),
        (b"[]", "holds no JSON Web Key Set"),
        (b'{"keys": []}', "holds no public key for RS256, ES256 or EdDSA"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "holds a secret key"),
        (b'{"keys": [{"kty": "RSA", "d": "AQAB"}]}', "holds a secret key"),
    ],
)
def test_a_file_without_public_keys_is_told_in_words_without_what_is_in_it(content: bytes, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        assertion_keys(Path("/keys"), content)
    [problem] = caught.value.problems
    assert told in problem
    assert "c2VjcmV0" not in problem


def test_the_log_says_why_and_is_not_filled_with_it(caplog: pytest.LogCaptureFixture) -> None:
    site = behind(BY_ASSERTION)
    with caplog.at_level(logging.WARNING):
        for _ in range(20):
            for forged in FORGED:
                site.get(ADDRESS, {HEADER: forged()})
            site.get(ADDRESS, {HEADER: signed(claims(email="secret\nwords"))})
    whys = [record.__dict__["why"] for record in caplog.records if "why" in record.__dict__]

    assert 5 < len(whys) == len(set(whys)) < 20
    assert not any("secret" in why or "ey" in why.split() for why in whys)
