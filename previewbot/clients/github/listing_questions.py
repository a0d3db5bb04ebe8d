"""The listing's questions to GraphQL, and the further pages of repositories with many pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from previewbot.api.github import Details, ListedRepository, Repository
from previewbot.clients.github import kept, listing, queries
from previewbot.clients.github.cutting import Rule
from previewbot.clients.github.graphql_answers import Ask, nodes_of
from previewbot.clients.github.transport import MAX_PAGES
from previewbot.errors import RemoteError


async def listed(ask: Ask, repositories: Sequence[Repository]) -> dict[int, ListedRepository | None]:
    """Return what one question tells of many repositories, by their ids, with all pages of each.

    None is one of which GitHub refused a part.
    """
    ids = [repository.node_id for repository in repositories]
    answer = await ask(queries.OPEN_PULL_REQUESTS, {"ids": ids, "file": listing.FILE}, kept.LISTED)
    nodes = nodes_of(answer.data, ids)
    found: dict[int, ListedRepository | None] = {}
    in_part = listing.in_part(answer, ids)
    for repository in repositories:
        # What was refused inside of it is null, and must not look as if it were not there.
        if repository.node_id in in_part:
            found[repository.id] = None
            continue
        page = listing.page_from(nodes[repository.node_id], repository.id)
        if page is not None:
            found[repository.id] = await _all_pages(ask, repository, page)
    return found


async def details(ask: Ask, node_ids: Sequence[str], rule: Rule) -> dict[str, Details]:
    """Return what one question tells of some pull requests, by their node ids."""
    answer = await ask(queries.DETAILS, {"ids": list(node_ids), "file": listing.FILE}, rule)
    nodes = nodes_of(answer.data, node_ids)
    read = {node_id: listing.details_from(node) for node_id, node in nodes.items()}
    in_part = listing.in_part(answer, node_ids)
    return {
        node_id: replace(found, complete=False) if node_id in in_part else found
        for node_id, found in read.items()
        if found is not None
    }


async def _all_pages(ask: Ask, repository: Repository, first: listing.Page) -> ListedRepository:
    rows, cursor = list(first.found.pull_requests), first.next_cursor
    for _ in range(MAX_PAGES):
        if not cursor:
            return replace(first.found, pull_requests=tuple(rows))
        ids = [repository.node_id]
        answer = await ask(queries.MORE_PULL_REQUESTS, {"ids": ids, "after": cursor}, kept.LISTED)
        more, cursor = listing.rows_from(nodes_of(answer.data, ids)[repository.node_id])
        rows += more
    # Half a list would be taken for the whole.
    raise RemoteError(repository.full_name, message=f"more than {MAX_PAGES} pages of pull requests")
