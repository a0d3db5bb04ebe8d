"""From a file's text and the environment to `Settings`, or to one list of all that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings.sources.utils import parse_env_vars

from previewbot.config.mistakes import validated
from previewbot.config.reader import Document, Mistake, Unreadable, cut, read
from previewbot.config.schema import KeyPath, at, holds_keys, schema_of
from previewbot.config.server.model import NARROWING, Settings
from previewbot.config.server.secrets import PRIVATE_KEY_VARIABLE, SECRET_VARIABLES, WEBHOOK_SECRET_VARIABLE
from previewbot.config.types import Variable
from previewbot.config.words import Raw, did_you_mean, fill, printable
from previewbot.errors import SettingsError

PREFIX = "PREVIEWBOT_"
# Kubernetes puts the addresses of a Service named previewbot or previewbot-web into every pod beside it:
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_SERVICE_LINK = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_[A-Z]+(_[A-Z]+)?)?)$")
_SECRETS = {
    f"github.{name}": fill("secret", {"file": Raw(f"github.{name}_file"), "variable": Raw(variable)})
    for name, variable in (("private_key", PRIVATE_KEY_VARIABLE), ("webhook_secret", WEBHOOK_SECRET_VARIABLE))
}
_JSON = ("keys", "list", "names")
"""The kinds of mistakes of what stands as JSON in a variable."""


class _Overridable(
    Settings, BaseSettings, env_prefix=PREFIX, env_nested_delimiter="__", env_parse_none_str="null"
):
    """The settings as pydantic-settings knows them: with names of variables."""


class _Variables(EnvSettingsSource):
    """Reads the variables of an environment; what is no JSON stays text, which its type then refuses."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(_Overridable)
        texts = {name: Variable(text) for name, text in environment.items()}
        self.env_vars = parse_env_vars(texts, parse_none_str=self.env_parse_none_str)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return what a JSON text holds; anything else as it is."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except (ValueError, RecursionError):
            return value


def document(content: bytes | str) -> Document:
    """Return what a settings file holds; raises SettingsError if it is no YAML that can be read."""
    try:
        return read(content, schema_of(Settings))
    except Unreadable as error:
        raise SettingsError((_sentence(error.mistake),)) from None


def parse(document: Document | Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Return the settings; a variable such as PREVIEWBOT_GITHUB__APP_ID takes the place of a key.

    Raises SettingsError with every problem. That a secret is missing is for its `…_source` to say: not
    every process needs each.
    """
    if not isinstance(document, Document):
        # A plain mapping has no lines: its mistakes name the keys alone.
        document = Document(schema_of(Settings), document)
    variables, found = _ours(environment)
    put = _Variables({name: environment[name] for name in variables.values()})()
    # Of what a variable replaces, and of a file that says nothing, there is no line to name.
    left = {
        path: place
        for path, place in document.places.items()
        if document.value is not None and not any(path[:end] in variables for end in range(1, len(path) + 1))
    }
    merged = replace(document, value=_merged(document.value, put, (), variables), places=left)
    settings, mistakes = validated(Settings, merged, variables, nulls=lambda path: path[0] not in NARROWING)
    if settings is None or found:
        raise SettingsError(tuple(_sentence(mistake) for mistake in cut([*mistakes, *found])))
    return settings


def _ours(environment: Mapping[str, str]) -> tuple[dict[KeyPath, str], list[Mistake]]:
    """Return the variables that name settings, by their keys, and those that look as if they meant to."""
    ours: dict[KeyPath, str] = {}
    unknown = []
    for variable in environment:
        keys = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        if not variable.startswith(PREFIX) or variable in SECRET_VARIABLES:
            continue
        above = [keys[:end] for end in range(1, len(keys)) if at(schema_of(Settings), keys[:end])]
        near = did_you_mean(keys[0], Settings.model_fields, always=len(keys) > 1)
        if above and not holds_keys(schema_of(Settings), above[-1]):
            named = {"key": Raw(".".join(above[-1]))}
            unknown.append(Mistake(0, partial(fill, "variable_below", named), (), variable))
        elif keys[0] in Settings.model_fields:
            ours[keys] = variable
        # A misspelt variable would otherwise be ignored, and the setting that it meant have its default.
        elif near and not _SERVICE_LINK.search(variable):
            unknown.append(Mistake(0, partial(fill, "variable", {"near": Raw(near)}), (), variable))
    return ours, unknown


def _merged(read: object, put: object, path: KeyPath, variables: Mapping[KeyPath, str]) -> object:
    """Return what the file says with the variables in place; one that names a part replaces all of it."""
    if path in variables or not isinstance(put, Mapping) or (read is None and put):
        return put
    if not isinstance(read, Mapping):
        return read
    inner = {key: _merged(read.get(key), value, (*path, key), variables) for key, value in put.items()}
    return {**read, **inner}


def _sentence(mistake: Mistake) -> str:
    """Return a mistake for a terminal: its line or its variable, its key, and what to write instead."""
    words = mistake.tell()
    about = ".".join(key for key in mistake.path if isinstance(key, str))
    if words.kind == "extra_forbidden":
        words = _SECRETS.get(about, words)
    if mistake.variable:
        about = f"{about} (from {mistake.variable})" if about else mistake.variable
        # In what was meant as JSON there may be a secret.
        if words.value.startswith('"' if words.kind in _JSON else ('"{', '"[')):
            words = replace(words, value="")
        if words.kind in _JSON:
            words = replace(words, advice="in a variable, write it as JSON")
    line = f"line {mistake.line}: " if mistake.line else ""
    value = f", not {words.value}" if words.value else ""
    advice = f"; {words.advice}" if words.advice else ""
    subject = f"{about or words.subject} ".lstrip()
    return printable(f"{line}{subject}{words.expected}{value}{advice}".replace("`", ""))
