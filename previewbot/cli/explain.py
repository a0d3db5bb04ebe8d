"""`previewbot explain`: step by step, why a pull request has a preview or none."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from previewbot.api.reference import Reference
from previewbot.cli.patience import patiently
from previewbot.cli.secret_files import read_secret
from previewbot.cli.serve import load, proxies_of
from previewbot.config.server import private_key, private_key_source
from previewbot.doctor.check import safe
from previewbot.doctor.explaining import CannotExplain, foresee
from previewbot.doctor.steps import last_sentence, steps
from previewbot.errors import RemoteError


def explain(config: Path, reference: Reference) -> int:
    """Print each step, and at the end what is waited for; return the exit code.

    Raises SettingsError for settings or a key that cannot be used.
    """
    settings = load(config, os.environ)
    source = private_key_source(settings, os.environ)
    key = private_key(source, read_secret(source))
    proxies = proxies_of(os.environ)
    # What a pass would log of what it meets is in the steps.
    logging.disable(logging.ERROR)
    try:
        looking = foresee(reference, settings, key, lambda: datetime.now(UTC), proxies)
        foreseen = asyncio.run(patiently(looking, "GitHub, the cluster or a registry"))
    except CannotExplain as error:
        print(safe(str(error)), file=sys.stderr)
        return 1
    except RemoteError as error:
        words = (
            f"{reference} cannot be looked at now: {safe(str(error))}; previewbot doctor says what is wrong"
        )
        print(words, file=sys.stderr)
        return 1
    there = f"the Preview {foreseen.preview.name}" if foreseen.stored else "no Preview in the cluster yet"
    print(f"{foreseen.preview.spec.repository}#{reference.number}: {there}")
    for step in steps(foreseen):
        print(step.line)
    print(last_sentence(foreseen))
    return 0
