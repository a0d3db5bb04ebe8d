"""The questions that GitHub's GraphQL is asked (https://docs.github.com/en/graphql/reference)."""

from __future__ import annotations

_ACTOR = "{ __typename ... on User { databaseId } ... on Bot { databaseId } ... on Mannequin { databaseId } }"

EDITS = f"""
query Edits($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on Comment {{
      body
      createdAt
      lastEditedAt
      editor {_ACTOR}
      userContentEdits(first: 20) {{ totalCount nodes {{ editor {_ACTOR} }} }}
    }}
  }}
}}
"""
"""Who edited some texts, and when: comments, reviews and line comments alike."""
