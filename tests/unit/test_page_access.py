"""What somebody may see and do on a preview's page: every cell of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import Asked
from previewbot.api.rights import Rights
from previewbot.rules.page_access import ByProxyMay, Standing, rights_of

NOTHING = Rights()
READS = Rights(state=True, words=True, verdict=True, opens=True)
ALL = replace(READS, hand_over=True, extend=True, control=True)


@pytest.mark.parametrize(
    ("standing", "pages_public", "readers_may_extend", "rights"),
    [
        (Standing.NOBODY, False, False, NOTHING),
        (Standing.NOBODY, False, True, NOTHING),
        (Standing.NOBODY, True, False, Rights(state=True)),
        (Standing.NOBODY, True, True, Rights(state=True)),
        (Standing.READS, False, False, READS),
        (Standing.READS, True, False, READS),
        (Standing.READS, False, True, replace(READS, extend=True)),
        (Standing.WRITES, False, False, ALL),
        (Standing.WRITES, True, True, ALL),
    ],
)
def test_each_cell_of_the_table(
    standing: Standing, pages_public: bool, readers_may_extend: bool, rights: Rights
) -> None:
    found = rights_of(standing, pages_public=pages_public, readers_may_extend=readers_may_extend)

    assert found == rights


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("say", [False, True])
@pytest.mark.parametrize("extend", [False, True])
@pytest.mark.parametrize("anything", [False, True])
def test_whoever_comes_by_proxy_has_what_the_settings_of_the_proxy_say_and_nothing_else(
    words: bool, say: bool, extend: bool, anything: bool
) -> None:
    found = rights_of(
        Standing.BY_PROXY,
        pages_public=anything,
        readers_may_extend=anything,
        by_proxy=ByProxyMay(words=words, say=say, extend=extend),
    )

    assert found == Rights(state=True, words=words, verdict=say, extend=extend, opens=True)


@pytest.mark.parametrize("asked", list(Asked))
def test_whoever_may_extend_may_not_therefore_start_or_stop(asked: Asked) -> None:
    reader = rights_of(Standing.READS, pages_public=False, readers_may_extend=True)
    writer = rights_of(Standing.WRITES, pages_public=False, readers_may_extend=False)

    assert reader.may_ask(asked) is (asked is Asked.EXTEND)
    assert writer.may_ask(asked)
