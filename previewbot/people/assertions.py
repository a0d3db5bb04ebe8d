"""Who somebody is as a proxy signed it: a JWT, judged by keys that lie in a file.

Nobody is asked: neither the proxy nor its identity provider. What is taken is what
https://www.rfc-editor.org/rfc/rfc8725 advises: algorithms by the key alone, never `none`, never a secret that
both sides have; issuer, audience and end are required.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from previewbot.config.server import AssertionSettings
from previewbot.errors import SettingsError

LEEWAY = timedelta(seconds=60)
"""How far the proxy's clock may be from ours."""

_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
_LEAST_RSA_BITS = 2048
_LAST_TIME = 10**11
"""Seconds since 1970 that are a time: some three thousand years."""
_LONGEST = 16 * 1024
"""Characters of an assertion; a whole head of a request is not much longer."""


class NotBelieved(Exception):
    """An assertion says nothing that counts; the words are for the log, never for whoever sent it."""


@dataclass(frozen=True)
class Key:
    """A public key, and the one algorithm that it is for; `id` is empty for one without a name."""

    id: str
    algorithm: str
    key: jwt.PyJWK


def assertion_keys(file: Path, content: bytes) -> tuple[Key, ...]:
    """Return the keys of a JSON Web Key Set (https://www.rfc-editor.org/rfc/rfc7517#section-5).

    Those of other algorithms are passed over, as a proxy may publish them beside the ones that count; raises
    SettingsError if none is left, or if a key is not public.
    """
    try:
        listed = json.loads(content)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SettingsError(
            (f"{file} holds no JSON Web Key Set; save there what the proxy publishes",)
        ) from None
    found = []
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        if "d" in each or "k" in each:
            raise SettingsError((f"{file} holds a secret key; only public ones belong there",))
        key = _key(each)
        if key is not None:
            found.append(key)
    if not found:
        raise SettingsError((f"{file} holds no public key for RS256, ES256 or EdDSA that can be used",))
    return tuple(found)


def claims_of(
    text: str, keys: tuple[Key, ...], settings: AssertionSettings, now: datetime
) -> Mapping[str, Any]:
    """Return what an assertion says that counts now; raises NotBelieved."""
    if len(text) > _LONGEST:
        raise NotBelieved("it is too long")
    try:
        named = jwt.get_unverified_header(text)
        key = _key_for(named.get("kid"), keys)
        claims: dict[str, Any] = jwt.decode(
            text,
            key.key,
            algorithms=[key.algorithm],
            audience=settings.audience,
            issuer=settings.issuer,
            # The library looks at its own clock; times are judged below, by ours.
            options={
                "require": ["exp", "iat", "iss", "aud"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWTError as error:
        # Not its words, in which there may be somebody else's.
        raise NotBelieved(f"it does not count ({type(error).__name__})") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        # Of what only looks like one, the library does not tell each kind by an error of its own.
        raise NotBelieved(f"it is no assertion ({type(error).__name__})") from None
    _check_times(claims, now)
    return claims


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    ends, made = _time(claims["exp"]), _time(claims["iat"])
    begins = _time(claims.get("nbf", made))
    if at >= ends + leeway:
        raise NotBelieved("it has ended")
    if max(made, begins) > at + leeway:
        raise NotBelieved("it is from the future: compare the clocks of the proxy and of this machine")


def _time(value: object) -> float:
    # No truth, and none of JSON's NaN and Infinity, which Python reads and which are later than nothing.
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < _LAST_TIME:
        raise NotBelieved("a time in it is none")
    return value


def _key_for(name: object, keys: tuple[Key, ...]) -> Key:
    if name is None and len(keys) == 1:
        return keys[0]
    found = [key for key in keys if key.id and key.id == name]
    if not found:
        raise NotBelieved("it is signed with a key that is not in proxy.assertion.keys_file")
    return found[0]


def _key(listed: Mapping[str, Any]) -> Key | None:
    if listed.get("use", "sig") != "sig":
        return None
    try:
        found = jwt.PyJWK(dict(listed))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if found.algorithm_name not in _ALGORITHMS:
        return None
    if getattr(found.key, "key_size", _LEAST_RSA_BITS) < _LEAST_RSA_BITS and listed.get("kty") == "RSA":
        return None
    name = listed.get("kid")
    return Key(name if isinstance(name, str) else "", found.algorithm_name, found)
