"""Writes what is published about the two configuration files and the reasons: `make reference`.

Pages and JSON Schemas come from the models that read the files, and so does the part of the chart's schema
that holds the settings. A test compares what is committed with what this would write.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from docs.agents_page import agents_page
from docs.reasons_page import reasons_page
from previewbot.config.published import preview_schema, settings_schema
from previewbot.config.repository import RepositoryConfig
from previewbot.config.schema import KeyPath, Schema, at, flow, schema_of
from previewbot.config.server import Settings
from previewbot.pages.openapi import document

ROOT = Path(__file__).parents[1]
CHART = "charts/previewbot/values.schema.json"
_COMMENTS = 46
_WIDTH = 118
_LONG = 80
# The chart mounts files, and knows its Lease and its cluster: nobody writes these into its values.
_CHARTS_OWN = (
    "private_key_file",
    "webhook_secret_file",
    "bearer_file",
    "client_secret_file",
    "cookie_keys_file",
    "keys_file",
    "kubeconfig",
    "lease",
    "docker_config_file",
    "ca_file",
)
_IN_MIRRORD = ("target", "namespace")
_PROSE = ("$defs", "title", "description", "examples", "default", "propertyNames")

_SETTINGS = """\
# Settings

One YAML file for all processes. An unknown or missing key stops the start with a list of everything that
is wrong, each with its line. Any key can be overridden by an environment variable:
`PREVIEWBOT_GITHUB__APP_ID=4242`; lists and maps as JSON. A key without a value is the same as none; only in
`owners` and `repositories`, without which more is allowed, it is a mistake.

```yaml
{example}
```

`previewbot check --settings FILE` judges it as the start does, and says what each of the `repositories`
may have ([`operations.md`](operations.md#who-may-have-what)). Of all secrets it reads only the file of
`api.bearer_file` and of `sign_in`, if they are there.

Secrets never stand in the YAML. There is no default for the webhook secret and no way to switch its check
off; it has at least 16 bytes, and while it is changed, the one before may stand in a second line. Aliases and
tags of YAML are not taken.

[`schemas/settings.schema.json`](schemas/settings.schema.json) says the same to editors, and
`previewbot schema --settings` prints it. `make reference` writes both from the code that reads the file.
"""

_PREVIEW = """\
# A repository's `.github/preview.yaml`

It stands on the default branch, and says what can be previewed, and how; some base branches may have one of
their own (below). `previewbot check .github/preview.yaml` validates it without a server, and `git diff
--name-only main | previewbot check .github/preview.yaml -` says which services a change touches. What is
wrong in it is told in the comment, with the line and what to write instead.

Ten services alike are a line each: `defaults` say what holds for all of them, with `{{service}}` for the
name.

```yaml
version: 1
entry: {{url: https://staging.example.com, namespace: staging, service: web, port: 80}}
defaults:
  paths: ["services/{{service}}/**"]
  target: deployment/{{service}}
  namespace: staging
  image: ghcr.io/acme/{{service}}:{{head_sha}}
shared: [libs/**, go.sum]
ignore: ["*.md"]
services:
  cart:
  checkout: [services/checkout/**, services/money/**]
  web: {{ports: [3000], open: /cart}}
```

Three real monorepos in [`examples/`](examples): [ten services](examples/boutique.yaml) in 22 lines,
[nineteen](examples/otel.yaml) in 29, and [a pnpm and Nx one](examples/novu.yaml). `previewbot init` writes a
first file.

An editor with a YAML language server checks the file while you write it, if the schema lies beside it,
`previewbot schema > .github/preview.schema.json`, and the file's first line is
`# yaml-language-server: $schema=preview.schema.json`; `previewbot init` does both.

## Every key

```yaml
{example}
```

- What a service leaves out, it has from `defaults`; what it says itself counts in place of that, its `paths`
  too. `{{service}}` is its name, in all of its keys. A list in a service's place is its `paths`,
  and a single value in the place of a list is a list of one: `ports: 8080`.
- `paths` are read one after the other, as in a `.gitignore` at the root of the repository: `*.go` is any
  file of that ending, `services/checkout/**` all below a folder (also if that is a submodule, or a link is in
  its place), and `!docs/**` takes away from those before it. `[slug]` in a folder's or a file's name is also
  that very name, and `src/**.go` means every folder, as in GitHub's own `paths`. `{{a,b}}` and
  `@(a|b)` mean nothing to `.gitignore`: write a path for each.
- Patterns that begin with `*` or `!` go in quotes, and within a list in brackets those with a brace or a
  bracket: to YAML these are signs of its own.
- `shared` belongs to every service: its files count with those of a service's own paths, and start none by
  themselves. Where nothing else changed, the comment says so, and `/preview start checkout` starts one.
- `ignore` takes away from all `paths` and from `shared`. `*.md` means files, `docs/` a folder with all in it;
  a later `!docs/menu.md` brings one back.
- In `image`, `{{head_sha}}` is the commit, `{{short_sha}}` its first 7 characters, `{{merge_sha}}` the
  merge commit that GitHub Actions builds, `{{short_merge_sha}}` its first 7, `{{number}}` the pull request's,
  `{{branch}}` its branch, and `{{service}}` the service's name. The table below has what
  `docker/metadata-action` writes.
- `check` proves that a change behind the entry is behind the link too: previewbot asks this path of the
  link, and what answers there must repeat the `baggage` header that the service received through the entry
  (an endpoint of a few lines). If the preview's key is not in the answer, the services in between do not
  pass `baggage` on, and the comment says so in place of a link. Without `check` that is not known of
  services behind the entry; the entry's own service needs none.
- `build` says which run builds a service's image, for words about one that is not there:
  `{{workflow: docker.yml}}` is the file of a workflow (also of one that another calls), and
  `{{check: build image}}` a check run: a job's, as it is called or as a pull request shows it
  (`CI / image (pull_request)`), or of another CI system that reports to GitHub's Checks. Commit *statuses*,
  as some systems set them by default, are no checks and are not read: that would take one permission more of
  every installation. Without `build` the likeliest run counts: one that ran when an image of this service
  appeared before, then by what workflows, jobs and checks are called; never a bot's review, a linter,
  coverage, or a deployment that waits. Whether the image is there only the registry says.
- Without `/container/<name>` in its `target`, a service replaces the container that runs its image's
  repository in staging; where none does, what mirrord's CLI takes: the one that the annotation
  `kubectl.kubernetes.io/default-container` names, else the first that is no well-known sidecar. A
  `rollout/<name>` may have its pods from a Deployment, ReplicaSet or StatefulSet (`workloadRef`), a
  `service/<name>` has those that its selector finds. What one service names as `service/web` another must
  not name as `deployment/web`: of two sessions for the same pods each gets some of the requests.
- Without `ports`, those count that the pod's containers declare in staging. With `ports: []` a service takes
  no requests, as a worker that reads a queue. Its preview runs beside staging's own and reads the same
  queues, so without `queues` it gets its share of everybody's messages. The link is the entry's.
- `entry.routes` follows staging's own HTTPRoute where one Service does not answer every path: an `Exact` path
  counts before a prefix, a longer prefix before a shorter one, and what none of them takes is the entry's
  Service's. Each of these Services must be open to links. A share host leads to one Service alone: without a
  Gateway such a front end is opened with the header.
- With several front ends, `entries` names them, and a service says which one its link opens. A preview has
  one link: it opens the entry of the first service in the file that serves. The comment names the others,
  which are opened with the header.
- No two services may stand in for the same container. The server's settings say which namespaces, targets,
  images and entries are open to this repository, and how long a preview may live; with them at hand,
  `previewbot check .github/preview.yaml --settings FILE --repository OWNER/NAME` holds the file to that.
- At most 64 KiB, 5,000 keys and values, 500 `paths` (those of `defaults` once for each service), and in these
  800 wildcards (`*`, `?`, `[…]`; the `/**` at the end of a path is none); no aliases, tags or second
  documents.

## The team's mirrord configuration

A service that has a mirrord configuration for previews already names it: `mirrord: .mirrord/mirrord.json`,
a path from the root of the repository (JSON, TOML or YAML), or holds the same object itself.

- It is read at the commit at which this file is read, of the default branch or of a base branch: never from
  the pull request. So is what it names (`env_file`, `from_file`, a folder of migrations): from its own
  folder, or from the root. Links count as no files; a file may have 64 KiB, all together 1 MiB, and there
  may be 300. `previewbot check` and `render` read them from the folder above `.github`.
- Target, namespace and ports may stand in either file, and where both say something they must agree. Sleep,
  a queue or a database stands in one of the two. The image is this file's, and so is `ttl`; without it the
  shortest of the mirrord files counts.
- `{{{{ key }}}}` is the environment key, here too in `queues` and `databases`; nothing else of mirrord's
  templates is filled in.
- An `env_file` and `secret_mounts` are for repositories whose rule in the settings has `secrets: true`, and
  `replicas` go up to `limits.replicas`.
- What has no effect on a preview is said, by `check`, and at the head of what `render` prints. What
  previewbot does with each option is in [`mirrord.md`](mirrord.md).

## Databases, queues and sleep

    databases:
      orders:
        type: pg
        name: orders
        connection: {{url: DATABASE_URL}}
        copy: {{mode: schema}}
        migrations: {{flavor: container, command: [./migrate, up]}}
      users: staging
    services:
      checkout:
        databases: [orders, users]
        queues: {{orders-created: {{type: sqs}}, mail: staging}}
        idle: {{after: 1h}}

- `databases` declares each database once, and services name those that they use. One with keys is a copy:
  each preview has its own, which mirrord makes before the service starts; the variable that `connection`
  names leads the service there (never the address itself: the file is in the repository). `copy` says what
  is in it at first (`empty`, `schema`, `all`, or rows of some `tables`), `migrations` what brings it to the
  schema that is wanted: a container, which without an `image` is the commit's own; or files of the
  repository for Flyway, which are read where this file is, so that a pull request's own are not among them.
  A copy is kept over pushes; `keep: never` makes a fresh one with each, and `/preview reset` at any time. It
  is gone once the preview ends: closed, stopped, out of time, or asleep and making room for another.
  `staging` in a database's place says that it is shared on purpose. A copy is of one namespace.
- `queues` are by their ids in mirrord's split configuration: `{{type: sqs}}`, `kafka` or `rmq`. A preview
  gets the messages whose attribute `baggage` has its key (`attribute` names another; `filter` and `jq`
  narrow it), and with `mode: mirror` staging gets them too. Other brokers stand in a mirrord file.
- `databases: none` and `queues: none` say that a service uses none. Where it says nothing, the comment
  warns that it may change what others see.
- `idle: {{after: 30m}}` lets a preview sleep that nobody uses; the next request or message wakes it, in
  about a minute. `idle: off` keeps it awake. Without either it sleeps after half an hour, where mirrord can
  and something wakes it.

## What docker/metadata-action writes

Which commit a tag names depends on the event that the workflow runs on: on `pull_request` GitHub builds a
test merge of the pull request into its base, unless `DOCKER_METADATA_PR_HEAD_SHA` is `true`.

| its `tags` | on `pull_request` | there with `DOCKER_METADATA_PR_HEAD_SHA` | on `push` |
|---|---|---|---|
| `type=sha` | `sha-{{short_merge_sha}}` | `sha-{{short_sha}}` | `sha-{{short_sha}}` |
| `type=sha,format=long` | `sha-{{merge_sha}}` | `sha-{{head_sha}}` | `sha-{{head_sha}}` |
| `type=sha,prefix=` | `{{short_merge_sha}}` | `{{short_sha}}` | `{{short_sha}}` |
| `type=ref,event=pr` | `pr-{{number}}` | `pr-{{number}}` | – |
|`type=ref,event=pr,suffix=-{{{{sha}}}}`|`pr-{{number}}-{{short_merge_sha}}`|`pr-{{number}}-{{short_sha}}`|–|
| `type=ref,event=branch` | – | – | `{{branch}}` |
| `type=raw,value=${{{{ github.head_ref }}}}` | `{{branch}}` | `{{branch}}` | – |

The short ones have 7 characters; where `DOCKER_METADATA_SHORT_SHA_LENGTH` is another number, nothing fits but
`format=long`.

A tag that names no commit (`pr-{{number}}`, `{{branch}}`) stays the same over many. What it names counts
only if the image says that it is of this commit or of a test merge of it, in the label
`org.opencontainers.image.revision`, which metadata-action sets where its `labels` are given to the build.

## On a base branch

A pull request onto a release branch goes by that branch's own file if the server's `config_branches` name
the branch, and if GitHub says that nobody changes it alone. Else the default branch's file counts, and the
comment says what is missing.

- Of a branch that is named in full (`stable`), GitHub must say that it is protected. To an App that may not
  administer repositories it does not say how: "require a pull request before merging" is yours to choose.
- Of a branch that a pattern matches (`release/*`), there must be active rules that restrict its creation
  ("Restrict creations") and require a pull request to change it ("Require a pull request before merging"):
  [rules](https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch) of the repository's rulesets or
  of its organization's. The older branch protection rules do not count, nor does a ruleset that only
  evaluates. GitHub's `*` stays within a part of the name, that of `config_branches` does not: for
  `release/2/lts` the ruleset needs `release/**/*`.

Whoever may bypass these rules can still push their own file; so keep the bypass list short, and no agent on
it.

[`schemas/preview.schema.json`](schemas/preview.schema.json) says the same to editors, and `previewbot schema`
prints it. `make reference` writes both from the code that reads the file.
"""


def pages() -> dict[str, str]:
    """Return what is to stand in each file, by its path from the root of the project."""
    settings, preview = schema_of(Settings), schema_of(RepositoryConfig)
    return {
        "docs/agents-recognised.md": agents_page(),
        "docs/reasons.md": reasons_page(),
        "docs/settings.md": _SETTINGS.format(example=example(settings)),
        "docs/configuration.md": _PREVIEW.format(example=example(preview)),
        "docs/openapi.yaml": yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=118),
        "docs/schemas/settings.schema.json": settings_schema(),
        "docs/schemas/preview.schema.json": preview_schema(),
        CHART: _json(_chart(settings)),
    }


def example(schema: Schema) -> str:
    """Return a whole file with every key, an example of its value, and beside it what it is about."""
    return "\n".join(_lines(schema, (), 0))


def main() -> None:
    """Write every page."""
    for path, content in pages().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(content, encoding="utf-8")


def _lines(root: Schema, path: KeyPath, depth: int) -> Iterator[str]:
    parent = at(root, path) or {}
    names = parent.get("properties") or parent["propertyNames"]["examples"]
    for key in names:
        inner = at(root, (*path, key)) or {}
        named = key in parent.get("properties", ())
        words = _words(key, parent, inner) if named else ""
        item = at(root, (*path, key, 0)) if inner.get("type") == "array" else {}
        # Keys that exclude each other have one example together.
        if item.get("type") == "object" and "examples" not in item:
            yield from _beside(f"{'  ' * depth}{key}:", words)
            yield from _item(root, (*path, key, 0), depth + 1)
            continue
        examples = inner.get("examples")
        written = f"{'  ' * depth}{key}:" + (f" {flow(examples[0])}" if examples else "")
        yield from _beside(written, words)
        if not examples:
            yield from _lines(root, (*path, key), depth + 1)


def _item(root: Schema, path: KeyPath, depth: int) -> Iterator[str]:
    """Yield one entry of a list of parts, with every key of it."""
    indented = f"{'  ' * depth}  "
    for number, line in enumerate(_lines(root, path, depth + 1)):
        yield line if number else line.replace(indented, f"{indented[:-2]}- ", 1)


def _words(key: str, parent: Schema, inner: Schema) -> str:
    """Return what a key is about, whether it must be given, and what it is if not."""
    words = str(inner.get("description", "")).rstrip(".")
    if key in parent.get("required", ()):
        where = "required, here or in defaults" if "paths" in parent["required"] else "required"
        if key in _IN_MIRRORD and "paths" in parent["required"]:
            where = "required, here, in defaults or in the mirrord file"
        return f"{words} ({where})" if inner.get("examples") else words
    if "default" in inner and inner.get("examples"):
        return f"{words} (default: {flow(inner['default'])})"
    return words if "left out" in words else f"{words} (optional)"


def _beside(written: str, words: str) -> Iterator[str]:
    """Yield a line with a comment, which goes on below itself; that of a long line stands above it."""
    if len(written) > _LONG:
        indent = written[: len(written) - len(written.lstrip())]
        above = textwrap.wrap(words.replace("`", ""), _WIDTH - len(indent) - 2)
        yield from (*(f"{indent}# {line}" for line in above), written)
        return
    comment = textwrap.wrap(words.replace("`", ""), _WIDTH - max(_COMMENTS, len(written) + 2) - 2) or [""]
    column = max(_COMMENTS, len(written) + 2)
    yield f"{written.ljust(column)}# {comment[0]}" if words else written
    yield from (f"{' ' * column}# {more}" for more in comment[1:])


def _chart(settings: Schema) -> Schema:
    """Return the chart's schema with the settings, less what the chart itself sets, put in their place."""
    chart: dict[str, Any] = json.loads((ROOT / CHART).read_text(encoding="utf-8"))
    description = chart["properties"]["settings"]["description"]
    made = _inlined(settings, settings)
    # Helm takes a default away with null, so that a part may be null where it may be left out.
    made["properties"]["links"]["type"] = ["object", "null"]
    chart["properties"]["settings"] = {"description": description, **made}
    return chart


def _inlined(root: Schema, schema: Schema) -> dict[str, Any]:
    """Return a schema without references, prose and what the chart sets itself; lists name nothing twice."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    made = {key: value for key, value in schema.items() if key not in _PROSE}
    for inner in ("properties", "patternProperties"):
        if inner in made:
            made[inner] = {
                key: _inlined(root, value) for key, value in made[inner].items() if key not in _CHARTS_OWN
            }
    if "anyOf" in made:
        made["anyOf"] = [_inlined(root, form) for form in made["anyOf"]]
    if made.get("type") == "array":
        made |= {"uniqueItems": True, "items": _inlined(root, made["items"])}
    return made


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
