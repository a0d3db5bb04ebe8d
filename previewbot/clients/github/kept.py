"""What is kept of GitHub's answers: a rule for each kind of answer.

Whoever may comment, push or report a check decides how long the texts are that GitHub sends us. So nothing
of an answer is kept but what `parse` and `builds` read of it, and of a text only what somebody looks at. What
a rule does not name is dropped. Field names: https://docs.github.com/en/rest (version 2022-11-28).
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace

from previewbot.api import LONGEST_KEPT_WORDS
from previewbot.clients.github.cutting import Each, Rule, TextOr
from previewbot.config.agents import AgentTable
from previewbot.rules import agents, app_rights, commands
from previewbot.rules.asked_for import opening_of, title_of
from previewbot.rules.verdicts import co_authors_in
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.json import read_json
from previewbot.text.markers import comment_hash, marker_in
from previewbot.text.quotes import parse_quote
from previewbot.text.verdicts import parse_verdict

_SUBMODULE_RE = re.compile(
    r"@@ [-+0-9, ]{1,50} @@\n(?:[-+]Subproject commit [0-9a-f]{4,64}(?:-dirty)?\n?){1,2}"
)
_MOST_OF_A_NAME = 200
"""Characters that are kept of what is only shown to people."""


def _words(body: str) -> dict[str, object]:
    marker, verdict = marker_in(body), parse_verdict(body) or parse_quote(body)
    # The hash is of the whole text, so it is made here, where the whole text is.
    told: dict[str, object] = {"marker": marker, "hash": comment_hash(body)} if marker else {}
    if verdict is not None:
        # Whatever a verdict has: what was left out here would be nobody's, and nobody would miss it.
        told["verdict"] = asdict(replace(verdict, words=cut_at_the_end(verdict.words, LONGEST_KEPT_WORDS)))
    return {"text": commands.excerpt(body), **told}


def of_submodule(patch: str) -> str:
    """Return a patch if it is a submodule's, of which Git shows only its commit; else nothing.

    Whoever writes these words into a file has another patch: https://git-scm.com/docs/gitsubmodules
    """
    return patch if _SUBMODULE_RE.fullmatch(patch) else ""


def _name(text: str) -> str:
    return cut_at_the_end(text, _MOST_OF_A_NAME)


def preview_in(payload: str) -> str:
    """Return the Preview that the payload of a deployment names, where GitHub gives it as a text of JSON."""
    try:
        value = read_json(payload)
    except ValueError:
        return ""
    preview = value.get("preview") if isinstance(value, dict) else None
    return _name(preview) if isinstance(preview, str) else ""


_ACCOUNT: Rule = {"id": None, "login": None, "type": None}
_BRANCH: Rule = {"ref": None, "sha": None, "repo": {"id": None, "full_name": None}}
_GRANTED: dict[str, Rule] = {
    "permissions": dict.fromkeys(app_rights.PERMISSIONS),
    "events": Each(None),
}
_REPOSITORY: Rule = {
    "id": None,
    "node_id": None,
    "full_name": None,
    "default_branch": None,
    "archived": None,
    "private": None,
    "visibility": None,
}

NOTHING: Rule = {}
TOKEN: Rule = {"token": None, "expires_at": None}
INSTALLATION: Rule = {
    "id": None,
    "suspended_at": None,
    "account": {"login": None},
    "html_url": None,
    **_GRANTED,
}
INSTALLATIONS: Rule = Each(INSTALLATION)
REPOSITORIES: Rule = {"repositories": Each(_REPOSITORY)}
_PULL_REQUEST: dict[str, Rule] = {
    "number": None,
    "node_id": None,
    "state": None,
    "merged": None,
    "title": None,
    "draft": None,
    "user": _ACCOUNT,
    "assignees": Each({"id": None}),
    "head": _BRANCH,
    "base": {
        "ref": None,
        "sha": None,
        "repo": {
            "id": None,
            "full_name": None,
            "default_branch": None,
            "private": None,
            "visibility": None,
            "archived": None,
        },
    },
    "labels": Each({"name": None}),
    "updated_at": None,
    "closed_at": None,
    "mergeable": None,
    "merge_commit_sha": None,
    "changed_files": None,
    "html_url": None,
}
OPEN_PULL_REQUESTS: Rule = Each(
    {
        "number": None,
        "node_id": None,
        "user": _ACCOUNT,
        "head": _BRANCH,
        "base": {"ref": None},
        "draft": None,
        "updated_at": None,
    }
)
CHANGED_FILES: Rule = Each(
    {"filename": None, "previous_filename": None, "status": None, "patch": of_submodule}
)
GIT_COMMIT: Rule = {"parents": Each({"sha": None})}
FILE: Rule = {"type": None, "encoding": None, "path": None, "content": None, "sha": None}
TREE: Rule = {"truncated": None, "tree": Each({"path": None, "mode": None, "sha": None, "size": None})}
BLOB: Rule = {"encoding": None, "content": None}
BRANCH: Rule = {"name": None, "protected": None, "commit": {"sha": None}}
RULES: Rule = Each({"type": None})
CHECK_RUNS: Rule = {
    "check_runs": Each(
        {
            "id": None,
            "status": None,
            "conclusion": None,
            "name": _name,
            "html_url": None,
            "started_at": None,
            "completed_at": None,
            "check_suite": {"id": None},
            "app": {"id": None, "slug": _name},
        }
    )
}
OWN_CHECK_RUNS: Rule = {
    "check_runs": Each(
        {
            "id": None,
            "external_id": _name,
            "status": None,
            "conclusion": None,
            "output": {"annotations_count": None},
        }
    )
}
WRITTEN_CHECK_RUN: Rule = {"id": None}
REFERENCES: Rule = Each({"object": {"sha": None}})
DEPLOYMENT: Rule = {
    "id": None,
    "sha": None,
    "creator": {"id": None},
    "performed_via_github_app": {"id": None},
    "payload": TextOr(preview_in, {"preview": _name}),
}
DEPLOYMENTS: Rule = Each(DEPLOYMENT)
DEPLOYMENT_STATUSES: Rule = Each({"state": None})
WORKFLOW_RUNS: Rule = {
    "workflow_runs": Each(
        {
            "id": None,
            "workflow_id": None,
            "path": _name,
            "event": None,
            "check_suite_id": None,
            "status": None,
            "conclusion": None,
            "name": _name,
            "html_url": None,
            "run_started_at": None,
            "updated_at": None,
            "repository": {"full_name": None},
            "referenced_workflows": Each({"path": _name}),
        }
    )
}
COMMENT: dict[str, Rule] = {
    "id": None,
    "node_id": None,
    "user": _ACCOUNT,
    "performed_via_github_app": {"id": None},
    "author_association": None,
    "body": _words,
    "created_at": None,
    "updated_at": None,
}
ONE_COMMENT: Rule = {**COMMENT, "issue_url": None}
COMMENTS: Rule = Each(COMMENT)
REVIEWS: Rule = Each(
    {
        "id": None,
        "node_id": None,
        "user": _ACCOUNT,
        "author_association": None,
        "body": _words,
        "submitted_at": None,
    }
)
_ACTOR: Rule = {"__typename": None, "databaseId": None}
_EDITS: dict[str, Rule] = {
    "body": commands.excerpt,
    "createdAt": None,
    "publishedAt": None,
    "lastEditedAt": None,
    "editor": _ACTOR,
    "userContentEdits": {"totalCount": None, "nodes": Each({"editor": _ACTOR})},
}
EDITS: Rule = {"nodes": Each(_EDITS)}
PERMISSION: Rule = {"permission": None, "user": {"id": None}}
ACCOUNT: Rule = _ACCOUNT
APP: Rule = {"slug": None, "client_id": None, **_GRANTED}
HOOK: Rule = {"url": None, "content_type": None}
DELIVERIES: Rule = Each(
    {"delivered_at": None, "event": None, "status": _name, "status_code": None, "installation_id": None}
)
_LISTED: Rule = {
    "pageInfo": {"hasNextPage": None, "endCursor": None},
    "nodes": Each(
        {
            "id": None,
            "number": None,
            "updatedAt": None,
            "isDraft": None,
            "headRefName": None,
            "headRefOid": None,
            "headRepository": {"databaseId": None},
            "baseRefName": None,
            "author": {"__typename": None, "login": None, "databaseId": None},
        }
    ),
}
LISTED: Rule = {
    "nodes": Each({"databaseId": None, "isArchived": None, "object": {"oid": None}, "pullRequests": _LISTED})
}
_WRITTEN: Rule = {
    "totalCount": None,
    "nodes": Each({"body": commands.excerpt, "reactionGroups": Each({"viewerHasReacted": None})}),
}


def pull_request(table: AgentTable) -> Rule:
    """Return the rule of a pull request: of its description what agents leave there."""
    return {**_PULL_REQUEST, "body": agents.kept_of(table)}


def commits(table: AgentTable) -> Rule:
    """Return the rule of a pull request's commits: of their messages what agents sign with."""
    message = agents.signatures(table)
    return Each(
        {
            "sha": None,
            "commit": {"message": message, "author": {"name": None, "email": None}},
            "author": _ACCOUNT,
        }
    )


def details(table: AgentTable) -> Rule:
    """Return the rule of what is asked about many pull requests at once: as of each, less of their texts."""
    return {
        "nodes": Each(
            {
                "body": agents.kept_of(table),
                "labels": {"totalCount": None, "nodes": Each({"name": None})},
                "commits": {"totalCount": None, "nodes": Each({"commit": _commit_of(table)})},
                "comments": _WRITTEN,
                "reviews": _WRITTEN,
                "baseRepository": {"object": {"oid": None, "isTruncated": None, "text": None}},
            }
        )
    }


def glance(table: AgentTable) -> Rule:
    """Return the rule of a glance: of a description the same is kept as of a pull request's."""
    return {
        "nodes": Each(
            {
                "headRefOid": None,
                "baseRefName": None,
                "state": None,
                "merged": None,
                "closedAt": None,
                "changedFiles": None,
                "headRepository": {"databaseId": None},
                "isDraft": None,
                "title": None,
                "body": agents.kept_of(table),
                "updatedAt": None,
                "mergeable": None,
                "labels": {"totalCount": None, "nodes": Each({"name": None})},
                "assignees": {"nodes": Each({"databaseId": None})},
                "baseRepository": {
                    "databaseId": None,
                    "nameWithOwner": None,
                    "isArchived": None,
                    "visibility": None,
                    "defaultBranchRef": {"name": None},
                },
                "comments": {
                    "totalCount": None,
                    "nodes": Each({"databaseId": None, "updatedAt": None, "author": {"databaseId": None}}),
                },
                "reviews": {
                    "totalCount": None,
                    "nodes": Each(
                        {
                            "updatedAt": None,
                            "comments": {"totalCount": None, "nodes": Each({"updatedAt": None})},
                        }
                    ),
                },
            }
        )
    }


def asked_for(table: AgentTable) -> Rule:
    """Return the rule of what tells what a pull request was asked for, and how comments were edited.

    Of its texts only the agents' sessions are kept.
    """
    text, sessions = agents.kept_of_text(table), agents.kept_of_message(table)

    def message(whole: str) -> dict[str, object]:
        return {"sessions": sessions(whole), "co_authors": co_authors_in(whole)}

    issue: dict[str, Rule] = {
        "number": None,
        "title": title_of,
        "bodyText": opening_of,
        "closed": None,
        "repository": {"databaseId": None, "nameWithOwner": None, "isPrivate": None},
    }
    return {
        "nodes": Each(
            {
                **_EDITS,
                "closingIssuesReferences": {"totalCount": None, "nodes": Each(issue)},
                "description": text,
                "commits": {"nodes": Each({"commit": {"message": message}})},
                "comments": {"nodes": Each({"body": text, "author": _ACTOR})},
            }
        )
    }


def _commit_of(table: AgentTable) -> Rule:
    author: Rule = {"name": None, "email": None, "user": {"databaseId": None, "login": None}}
    return {"oid": None, "message": agents.signatures(table), "author": author}
