"""The questions that GitHub's GraphQL is asked (https://docs.github.com/en/graphql/reference)."""

from __future__ import annotations

from previewbot.rules.asked_for import LISTED

_ACTOR = "{ __typename ... on User { databaseId } ... on Bot { databaseId } ... on Mannequin { databaseId } }"

_EDITS = f"""
    ... on Comment {{
      body
      createdAt
      publishedAt
      lastEditedAt
      editor {_ACTOR}
      userContentEdits(first: 100) {{ totalCount nodes {{ editor {_ACTOR} }} }}
    }}
"""

EDITS = f"""
query Edits($ids: [ID!]!) {{
  nodes(ids: $ids) {{{_EDITS}}}
}}
"""
"""Who edited some texts, and when: comments, reviews and line comments alike.

A hundred edits of each are the most that GitHub shows at once.
"""

_SESSIONS = f"""
      description: body
      commits(last: 10) {{ nodes {{ commit {{ message }} }} }}
      comments(first: 10) {{ nodes {{ body author {_ACTOR} }} }}
"""

_ASKED_FOR = f"""
    ... on PullRequest {{
      closingIssuesReferences(first: {LISTED}) {{
        totalCount
        nodes {{ number title bodyText closed repository {{ databaseId nameWithOwner isPrivate }} }}
      }}{_SESSIONS}
    }}
"""

ASKED_FOR = f"""
query AskedFor($ids: [ID!]!) {{
  nodes(ids: $ids) {{{_ASKED_FOR}}}
}}
"""
"""What a pull request was asked for: the issues that it closes, and what its agent left of its session. One
point of the hour (https://docs.github.com/en/graphql/reference/objects#pullrequest)."""

EDITS_AND_ASKED_FOR = f"""
query EditsAndAskedFor($ids: [ID!]!) {{
  nodes(ids: $ids) {{{_EDITS}{_ASKED_FOR}}}
}}
"""
"""Both at once: of comments how they were edited, of their pull request what it was asked for."""

SESSIONS = f"""
query Sessions($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on PullRequest {{{_SESSIONS}}}
  }}
}}
"""
"""The same of a server that does not know which issues a pull request closes."""

_ROWS = """
      pageInfo { hasNextPage endCursor }
      nodes {
        id
        number
        updatedAt
        isDraft
        headRefName
        headRefOid
        headRepository { databaseId }
        baseRefName
        author { __typename login ... on User { databaseId } ... on Bot { databaseId } }
      }
"""
_NEWEST = "states: OPEN, orderBy: {field: UPDATED_AT, direction: DESC}"

OPEN_PULL_REQUESTS = f"""
query OpenPullRequests($ids: [ID!]!, $file: String!) {{
  nodes(ids: $ids) {{
    ... on Repository {{
      databaseId
      isArchived
      object(expression: $file) {{ ... on Blob {{ oid }} }}
      pullRequests(first: 50, {_NEWEST}) {{{_ROWS}}}
    }}
  }}
}}
"""
"""The open pull requests of many repositories, and which file each has on its default branch.

A hundred repositories cost one point of the hour: one connection for each of them, divided by a hundred
(https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api). Labels would
be a connection for each pull request, so these are asked for in `DETAILS` alone.
"""

MORE_PULL_REQUESTS = f"""
query MorePullRequests($ids: [ID!]!, $after: String!) {{
  nodes(ids: $ids) {{
    ... on Repository {{
      pullRequests(first: 100, after: $after, {_NEWEST}) {{{_ROWS}}}
    }}
  }}
}}
"""
"""What follows of one repository."""

DETAILS = """
query Details($ids: [ID!]!, $file: String!) {
  nodes(ids: $ids) {
    ... on PullRequest {
      body
      labels(first: 100) { totalCount nodes { name } }
      commits(first: 100) {
        totalCount
        nodes { commit { oid message author { name email user { databaseId login } } } }
      }
      comments(last: 50) { totalCount nodes { body reactionGroups { viewerHasReacted } } }
      reviews(last: 20) { totalCount nodes { body } }
      baseRepository { object(expression: $file) { ... on Blob { oid isTruncated text } } }
    }
  }
}
"""
"""What tells whether anything asks for a preview of a pull request. Four connections for each, so that 25 of
them cost one point."""

GLANCE = f"""
query Glance($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on PullRequest {{
      headRefOid
      baseRefName
      state
      merged
      closedAt
      isDraft
      title
      body
      updatedAt
      mergeable
      changedFiles
      headRepository {{ databaseId }}
      labels(first: 100) {{ totalCount nodes {{ name }} }}
      assignees(first: 10) {{ nodes {{ databaseId }} }}
      baseRepository {{ databaseId nameWithOwner isArchived visibility defaultBranchRef {{ name }} }}
      comments(first: 20, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
        totalCount
        nodes {{ databaseId updatedAt author {_ACTOR} }}
      }}
      reviews(last: 20) {{
        totalCount
        nodes {{ updatedAt comments(last: 20) {{ totalCount nodes {{ updatedAt }} }} }}
      }}
    }}
  }}
}}
"""
"""What tells whether anything changed in a pull request since it was read: one point, and no request."""
