"""The operations page's audit policy, query and example, as they stand there, for a test's account."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jq
import yaml

_PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
_NAMESPACE = "previewbot"
"""The release's namespace on that page."""


def policy(namespace: str) -> dict[str, Any]:
    """Return the audit policy for a release in this namespace."""
    found: dict[str, Any] = yaml.safe_load(_of(_block("yaml", "kind: Policy"), namespace))
    return found


def query(namespace: str) -> str:
    """Return the jq program that tells what an agent ran, for a release in this namespace."""
    return _of(command().split("'\n", 1)[1].rsplit("'", 1)[0], namespace)


def command() -> str:
    """Return the command of the page, with that program in it."""
    return _block("sh", "jq --arg agent")


def runs(log: str, namespace: str, agent: str, since: str) -> list[dict[str, Any]]:
    """Return what the page's query answers, from an audit log of one event a line."""
    program = jq.compile(query(namespace), args={"agent": agent, "since": since})
    found: list[dict[str, Any]] = program.input_text(log).all()
    return found


def example() -> dict[str, Any]:
    """Return what the page says that the query answers."""
    found: dict[str, Any] = json.loads(_block("json", '"pull_request"'))
    return found


def kubectl_commands() -> list[list[str]]:
    """Return the arguments of the page's `kubectl get` with columns of their own."""
    lines = re.findall(r"^    kubectl (get .*) '(custom-columns=.*)'$", _text(), re.MULTILINE)
    return [[*words.split(), columns] for words, columns in lines]


def _of(text: str, namespace: str) -> str:
    account = f"system:serviceaccount:{_NAMESPACE}:previewbot-controller"
    assert account in text
    return text.replace(account, f"system:serviceaccount:{namespace}:previewbot-controller")


def _block(language: str, words: str) -> str:
    """Return the only block of code in a language that holds these words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", _text(), re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if words in block)
    return str(found)


def _text() -> str:
    return _PAGE.read_text(encoding="utf-8")
