"""Passes in memory: the real Reconciler over a cluster, a registry and a GitHub that a test can fail at will.

The adapters answer at once, the clock stands until a test moves it, and `failures` has what each call raises
instead. That they behave as the real ones do is shown elsewhere (end-to-end and contract tests); here it is
the order of events that counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from previewbot.api import (
    LISTING,
    LONGEST_KEPT_WORDS,
    PREVIEW_LABEL,
    SAY,
    Actor,
    Ask,
    AskedIn,
    Poke,
    Preview,
    RequestKind,
    Resource,
    Saying,
    Service,
    Source,
    Status,
    annotations_of,
    from_object,
    new_object,
    new_request,
    timestamp,
)
from previewbot.api.asked_for import AskedFor
from previewbot.api.ci import Runs
from previewbot.api.github import (
    Account,
    AppIdentity,
    Branch,
    ChangedFile,
    ChangedFiles,
    Comment,
    Commit,
    Edits,
    FileContent,
    Glance,
    OpenPullRequest,
    PullRequest,
    Repository,
    Word,
)
from previewbot.api.verdicts import SaidVerdict, Says
from previewbot.clients.github.cache import PAGE_SIZE
from previewbot.clients.github.installation import REVIEW_PAGES
from previewbot.clients.github.spending import Hours
from previewbot.clients.kubernetes.resources import without_nulls
from previewbot.clients.links import Question
from previewbot.clients.pictures import Album
from previewbot.clients.registry import FoundImage
from previewbot.config.repository import PATH
from previewbot.config.server import Settings, parse
from previewbot.engine.operator import OperatorSeen
from previewbot.errors import Conflict, Forbidden, Invalid, NotFound, QuotaKept, TryLater
from previewbot.reconciler import Outcome, Reconciler
from previewbot.reconciler.children import KINDS, ChildKind
from previewbot.reconciler.memory import Configurations, Memory
from previewbot.reconciler.reporters import GITHUB_REPORTERS, Reporter
from previewbot.rules.commands import excerpt
from previewbot.rules.link_answers import Answer
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.markers import comment_hash, marker_in
from previewbot.text.quotes import parse_quote
from previewbot.text.render import Renderer
from previewbot.text.verdicts import parse_verdict
from previewbot_demo.kube.json_copy import json_copy
from previewbot_demo.kube.server import merge_patch
from tests.support.checks_in_memory import ChecksInMemory
from tests.support.clock import Clock
from tests.support.deployments_in_memory import DeploymentsInMemory
from tests.support.gateways import GatewayInMemory, Said
from tests.support.git_in_memory import GitInMemory
from tests.support.guarded import proven
from tests.support.pods import a_pod
from tests.support.previews import HEAD, NOW, OLDER, a_preview

A, B, C = HEAD, OLDER, "c" * 40
"""Commits, in the order in which they are pushed."""

CONFIGURATION = """
version: 1
entry: {url: "https://staging.example.com", namespace: staging, service: web, port: 80}
services:
  checkout:
    paths: ["checkout/**"]
    target: deployment/checkout
    namespace: staging
    image: "ghcr.io/acme/checkout:{head_sha}"
    ports: [8080]
  pricing:
    paths: ["pricing/**"]
    target: deployment/pricing
    namespace: staging
    image: "ghcr.io/acme/pricing:{head_sha}"
    ports: [8080]
"""

BROKEN = "version: 2\n"

BOTH = ("checkout/app.py", "pricing/app.py")
"""Files of both services."""

SETTINGS: dict[str, Any] = {
    "github": {"api_url": "http://github", "web_url": "https://github.com", "app_id": 4242},
    "public_url": "http://previewbot.example.com",
    "cluster": {"namespaces": ["staging"]},
    "images": {"allowed": ["ghcr.io/acme/"]},
    "links": {"gateway": {"name": "public", "namespace": "gateways", "domain": "preview.example.com"}},
    # Not at each call of each life that is about something else: who is about one of them has it on.
    "check": "off",
    "deployments": "off",
}
OWN_APP = 4242
_INSTALLATION, _REPOSITORY = 7, 812
_RENDERER = Renderer()
"""One for all: it compiles the templates, which takes longer than a whole life of passes."""

_CONFIGURATIONS = Configurations()
"""What was read of files, by their content: a thousand lives read the same file once."""

BOT = Account(9, "previewbot[bot]", "Bot")
"""The account in which previewbot writes."""


def somebody(name: str, mark: str = "") -> Actor:
    """Return somebody of this name who came by a proxy."""
    return Actor(name=name, mark=mark or hashlib.sha256(name.encode()).hexdigest()[:12])


ANN = Account(2, "ann")
"""Who may write in the repository."""


class Calls:
    """Counts the calls to the outside, and fails those that a test wants to fail."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.listed: list[str] = []
        self.failures: dict[str, Exception] = {}
        self._watched: dict[str, Callable[[], None]] = {}

    def watch(self, call: str, once: Callable[[], None]) -> None:
        """Do something at the moment of the next such call, once."""
        self._watched[call] = once

    def note(self, call: str) -> None:
        """Note a call; raise what is to go wrong with it."""
        self.made.append(call)
        happens = self._watched.pop(call, None)
        if happens is not None:
            happens()
        failure = self.failures.get(call)
        if failure is not None:
            raise failure


class Cluster:
    """The Preview, the sessions, the routes, and the targets: one for all that `workloads` does not have."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock
        self._versions, self._uids = itertools.count(10), itertools.count(1)
        self._previews, self.name = itertools.count(1), "gh-812-42"
        self.preview: dict[str, Any] | None = self._new_preview()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.routes: dict[str, dict[str, Any]] = {}
        self.others: dict[str, dict[str, dict[str, Any]]] = {}
        self.workloads: dict[str, dict[str, Any] | None] = {}
        self.session_status: dict[str, Any] = {"phase": "Ready"}
        self.branch_status: dict[str, Any] = {"phase": "Ready"}
        self.migrations = "Succeeded"
        self.secrets_given: list[dict[str, Any]] = []
        self.forbidden: set[str] = set()
        self.gateway = GatewayInMemory()
        self.operator_removes = True
        self.log = ""
        self.events: list[dict[str, Any]] = []

    def _new_preview(self) -> dict[str, Any]:
        preview = new_object(a_preview(name=self.name).spec, Poke())
        preview["metadata"] |= {
            "uid": f"preview-{next(self._previews)}",
            "resourceVersion": str(next(self._versions)),
            "generation": 1,
            "creationTimestamp": timestamp(self._clock.now),
        }
        return preview

    # What the operator and the gateway do

    def check(self, what: str, namespace: str) -> None:
        """Raise Forbidden where previewbot has no role."""
        if namespace in self.forbidden:
            self._calls.note(f"refused to {what}")
            raise Forbidden(f"Kubernetes: {what}", status=403, message=f"forbidden in {namespace}")

    def session_becomes(self, phase: str, **status: Any) -> None:
        """Let the operator say this of every session."""
        for session in self.sessions.values():
            session["status"] = {"phase": phase, **status}

    def leads_to(self) -> str:
        """Return what stands behind the link: `staging`, `page` or nothing."""
        routes = list(self.routes.values())
        if not routes:
            return ""
        return "staging" if "backendRefs" in routes[0]["spec"]["rules"][0] else "page"

    # What the controller calls

    async def get_preview(self, name: str) -> dict[str, Any] | None:
        return json_copy(self.preview)

    async def put_status(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        assert self.preview is not None
        if obj["metadata"]["resourceVersion"] != self.preview["metadata"]["resourceVersion"]:
            raise Conflict("status")
        self._calls.note("put status")
        return self._changed({**json_copy(self.preview), "status": obj["status"]})

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        assert self.preview is not None
        return self._changed({**self.preview, "spec": {**self.preview["spec"], **patch}})

    async def delete_preview(self, name: str, uid: str, resource_version: str) -> None:
        assert self.preview is not None
        if resource_version != self.preview["metadata"]["resourceVersion"]:
            raise Conflict("preview")
        self._calls.note("delete preview")
        self.preview = None
        self.collect(uid)
        self.routes.clear()

    def collect(self, uid: str) -> None:
        """Remove what belongs to a Preview that is gone, as Kubernetes does a moment later."""
        for name, obj in list(self.requests.items()):
            if any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences", ())):
                del self.requests[name]

    @property
    def requests(self) -> dict[str, dict[str, Any]]:
        """What was asked for elsewhere than in a comment, and is not removed yet, by name."""
        return self.others.setdefault("previewrequests", {})

    def ask(self, ask: Ask) -> None:
        """Store what web stores of a press; one that is there already stays as it is."""
        obj = json_copy(new_request(ask, "staging"))
        obj["metadata"] |= {
            "uid": f"request-{next(self._uids)}",
            "resourceVersion": str(next(self._versions)),
            "creationTimestamp": timestamp(self._clock.now),
        }
        self.requests.setdefault(ask.name, obj)

    async def list_children(self, resource: Resource, namespace: str, selector: str) -> list[dict[str, Any]]:
        self.check(f"list {resource.plural}", namespace)
        call = f"list {'' if selector else 'all '}{resource.plural}"
        self._calls.listed.append(call)
        if call in self._calls.failures:
            raise self._calls.failures[call]
        found = [s for s in self._of(resource).values() if s["metadata"]["namespace"] == namespace]
        label, _, value = selector.partition("=")
        return json_copy([s for s in found if not label or s["metadata"]["labels"].get(label) == value])

    async def create_child(
        self, resource: Resource, namespace: str, manifest: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._calls.note(f"create {self._word(resource)}")
        self.check(f"create {resource.plural}", namespace)
        name, objects = manifest["metadata"]["name"], self._of(resource)
        if name in objects:
            raise Conflict("session")
        obj: dict[str, Any] = json_copy(dict(manifest))
        obj["metadata"] |= {
            "uid": f"{self._word(resource)}-{next(self._uids)}",
            "creationTimestamp": timestamp(self._clock.now),
        }
        obj["status"] = dict(self.session_status)
        objects[name] = obj
        if resource.plural == "branchdatabases":
            obj["metadata"]["generation"] = 1
            self._copy_database(obj)
        return json_copy(obj)

    def _copy_database(self, branch: dict[str, Any]) -> None:
        branch["status"] = {"expireTime": timestamp(self._clock.now), **self.branch_status}
        if "migrations" in branch["spec"]:
            ran = {"phase": self.migrations, "observedGeneration": branch["metadata"]["generation"]}
            branch["status"]["migrations"] = ran | (
                {"error": "no such table"} if ran["phase"] == "Failed" else {}
            )

    async def patch_child(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._calls.note(f"patch {resource.plural}")
        found = self._of(resource).get(name)
        if found is None:
            raise NotFound(f"patch {resource.plural}", status=404)
        if found["metadata"]["uid"] != patch["metadata"]["uid"]:
            raise Conflict(f"patch {resource.plural}")
        merged = merge_patch(found, json_copy(patch))
        if merged["spec"] != found["spec"]:
            merged["metadata"]["generation"] += 1
        found.clear()
        found.update(merged)
        if resource.plural == "branchdatabases":
            self._copy_database(found)
        return json_copy(found)

    async def give_secret_mounts(self, body: Mapping[str, Any]) -> None:
        self._calls.note("give secret mounts")
        self.secrets_given.append(json_copy(dict(body)))

    @property
    def branches(self) -> dict[str, dict[str, Any]]:
        """The database branches that exist, by the databases' names."""
        there = self.others.get("branchdatabases", {}).values()
        return {branch["spec"]["id"].rpartition("-")[2]: branch for branch in there}

    def branch_becomes(self, phase: str, **status: Any) -> None:
        """Let the operator say this of every branch."""
        for branch in self.branches.values():
            branch["status"] = {"phase": phase, "expireTime": timestamp(self._clock.now), **status}

    async def delete_child(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        self._calls.note(f"delete {self._word(resource)}")
        self.check(f"delete {resource.plural}", namespace)
        if resource.plural == "httproutes":
            self.routes.pop(namespace, None)
            return
        objects = self._of(resource)
        found = objects.get(name)
        if found is not None and uid not in ("", found["metadata"]["uid"]):
            raise Conflict("session")
        if found is not None and not self.operator_removes:
            found["metadata"].setdefault("deletionTimestamp", timestamp(self._clock.now))
        else:
            objects.pop(name, None)

    def _of(self, resource: Resource) -> dict[str, dict[str, Any]]:
        if resource.plural == "httproutes":
            return self.routes
        return (
            self.sessions
            if resource.plural == "previewsessions"
            else self.others.setdefault(resource.plural, {})
        )

    def _word(self, resource: Resource) -> str:
        return {"previewsessions": "session", "httproutes": "route"}.get(resource.plural, resource.plural)

    async def apply_child(self, resource: Resource, manifest: Mapping[str, Any]) -> dict[str, Any]:
        self._calls.note("apply route")
        self.check("get httproutes", manifest["metadata"]["namespace"])
        route: dict[str, Any] = json_copy(without_nulls(manifest))
        before = self.routes.get(route["metadata"]["namespace"])
        generation = before["metadata"]["generation"] if before else 0
        changed = before is None or before["spec"] != route["spec"]
        route["metadata"] |= {
            "generation": generation + changed,
            "uid": f"route of {route['metadata']['name']}",
        }
        route["status"] = before["status"] if before else {}
        self.routes[route["metadata"]["namespace"]] = route
        if self.gateway.follows:
            self.gateway.take_up(route)
        return json_copy(route)

    def gateway_says(self, *said: Said) -> None:
        """Let the Gateway say this of every route from now on."""
        self.gateway.says = said
        for route in self.routes.values():
            self.gateway.take_up(route)

    async def get_child(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any] | None:
        self._calls.note(f"get {resource.plural}")
        return self.gateway.find(resource.plural)

    async def get_target(self, namespace: str, kind: str, name: str) -> dict[str, Any] | None:
        self._calls.note("get target")
        self.check(f"get {kind}", namespace)
        if f"{kind}/{name}" in self.workloads:
            return json_copy(self.workloads[f"{kind}/{name}"])
        containers = [{"name": "app", "ports": [{"containerPort": 8080}]}]
        return {"spec": {"template": {"spec": {"containers": containers}}}}

    async def pod_log(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        self._calls.note("read log")
        return self.log

    async def pod_events(self, namespace: str, pod_uid: str) -> list[dict[str, Any]]:
        self._calls.note("list events")
        return [event for event in self.events if event["involvedObject"]["uid"] == pod_uid]

    async def create_event(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        self._calls.note("create event")

    def _changed(self, preview: dict[str, Any]) -> dict[str, Any]:
        preview["metadata"]["resourceVersion"] = str(next(self._versions))
        self.preview = preview
        return json_copy(preview)

    def poke(self, poke: Poke) -> None:
        """Note a poke at the Preview; make one where there is none."""
        preview = json_copy(self.preview or self._new_preview())
        preview["metadata"]["annotations"] |= annotations_of(poke)
        self._changed(preview)


def as_read(comment: Comment) -> Comment:
    """Return a comment as the adapter reads it: what it keeps of the text."""
    body, marker, told, verdict = _kept(comment.body)
    return replace(comment, body=body, marker=marker, hash=told, verdict=verdict)


@cache
def _kept(body: str) -> tuple[str, str, str, SaidVerdict | None]:
    # By the text alone: thousands of comments say the same, and each is read with every look.
    marker, verdict = marker_in(body), parse_verdict(body) or parse_quote(body)
    if verdict is not None:
        verdict = replace(verdict, words=cut_at_the_end(verdict.words, LONGEST_KEPT_WORDS))
    return excerpt(body), marker, comment_hash(body) if marker else "", verdict


def node_id_of(comment: Comment) -> str:
    """Return the id by which GraphQL finds a comment."""
    return comment.node_id or f"IC_{comment.id}"


class GitHubInMemory:
    """A repository with one pull request; it is its own installation's client as well."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock
        self._comment_ids, self._review_ids = itertools.count(501), itertools.count(501)
        self.head_sha = A
        self.state: Literal["open", "closed"] = "open"
        self.fork, self.private, self.archived = False, True, False
        self.draft, self.merged = False, False
        self.queued: list[str] = []
        self.queue_asked = 0
        self.suspended, self.shown, self.listed = False, True, True
        self.labels: tuple[str, ...] = ("preview",)
        self.author, self.branch, self.body = Account(1, "bob"), "fix/checkout", ""
        self.commits_made: tuple[Commit, ...] = ()
        self.updated_at = NOW
        self.configuration = CONFIGURATION
        self.configuration_path = PATH
        self.base, self.base_sha = "main", "0" * 40
        self.configurations: dict[str, str] = {}
        self.repository_files: dict[str, bytes] = {}
        self.heads_files: dict[str, dict[str, bytes]] = {}
        self.checks = ChecksInMemory(calls.note)
        self.protected: set[str] = set()
        self.rules_of: dict[str, frozenset[str]] = {}
        self.paths: tuple[str, ...] = ("checkout/app.py",)
        self.assignees: tuple[int, ...] = ()
        self.merge_commit_sha: str | None = None
        self.comments_written: list[Comment] = []
        self.reviews_written: list[Comment] = []
        self.read_since: list[datetime | None] = []
        self.pages_read: list[int] = []
        self.covering = {"acme/shop": _REPOSITORY}
        self.installations = {"acme/shop": _INSTALLATION}
        self.ci = Runs()
        self.mergeable = True
        self.glances, self.default_branch = False, "main"
        self.refused_words = ""
        self.accounts = {ANN.login: ANN}
        self.permissions: dict[str, str] = {}
        self.asked_about: list[str] = []
        self.reacted: list[tuple[int, str]] = []
        self.reacted_on_lines: list[tuple[int, str]] = []
        self.written_in: list[str] = []
        self.kept: QuotaKept | None = None
        self.hours = Hours()
        self.writes_limit: TryLater | None = None
        self.optional_limit: TryLater | None = None
        self.ahead = timedelta(0)
        self.edited: dict[str, list[tuple[datetime, int]]] = {}
        self.edits_asked: list[int] = []
        self.published: dict[str, datetime] = {}
        self.hidden: set[int] = set()
        self.node_id, self.asked, self.asked_times = "", AskedFor(), 0
        self.asked_beside = True
        self.deployments = DeploymentsInMemory(calls, clock, OWN_APP, BOT.id)

    # What people do

    def say(
        self, body: str, who: str | Account = "ann", association: str = "NONE", app_id: int | None = None
    ) -> int:
        """Write a comment as a person, or as an App with that person's token; return its id.

        Whoever is known by a login alone may write here, and so may Ann; other accounts may not.
        """
        number = next(self._comment_ids)
        now = self.time_at(self._clock.now)
        who = self._person(who)
        written = Comment(number, who, app_id, body, now, now, association=association)
        self.comments_written.append(written)
        self.updated_at = now
        return number

    def review(
        self,
        body: str,
        who: str | Account = "ann",
        association: str = "NONE",
        *,
        on_lines: bool = False,
        number: int = 0,
        begun_at: datetime | None = None,
    ) -> int:
        """Submit a review, or a comment on lines, whose id is that of when it was begun; return the id."""
        kind = RequestKind.REVIEW_COMMENT if on_lines else RequestKind.REVIEW
        number, now = number or next(self._review_ids), self._clock.now
        who = self._person(who)
        begun = begun_at if on_lines and begun_at else now
        written = Comment(number, who, None, body, begun, now, association=association, kind=kind)
        self.reviews_written.append(replace(written, node_id=f"{kind} {number}"))
        self.published[f"{kind} {number}"] = now
        self.updated_at = now
        return number

    def _person(self, who: str | Account) -> Account:
        if isinstance(who, str):
            return self.accounts.setdefault(who, Account(len(self.accounts) + 2, who))
        if who != ANN:
            self.permissions.setdefault(who.login, "read")
        return who

    def edit(self, number: int, body: str, by: int | None = None, *, in_reviews: bool = False) -> None:
        """Edit a comment, as its author or as the account with this number (0: one that is deleted)."""
        among = self.reviews_written if in_reviews else self.comments_written
        place, old = next((i, c) for i, c in enumerate(among) if c.id == number)
        now = self.time_at(self._clock.now)
        # Of a review REST shows when it was submitted, and no other time.
        changed = old.updated_at if old.kind is RequestKind.REVIEW else now
        among[place] = replace(old, body=body, updated_at=changed)
        self.edited.setdefault(node_id_of(old), []).append((now, old.author.id if by is None else by))

    def delete(self, number: int) -> None:
        """Delete a comment, as whoever may."""
        self.comments_written = [each for each in self.comments_written if each.id != number]

    def bot(self, login: str) -> Account:
        """Return the account of a bot."""
        return Account(len(self.accounts) + 2, login, "Bot")

    def own_comments(self) -> list[str]:
        """Return the texts that previewbot wrote, oldest first."""
        return [comment.body for comment in self.comments_written if comment.author == BOT]

    # What the controller calls

    def installation(self, installation_id: int) -> GitHubInMemory:
        return self

    def sparing(self) -> SparingInMemory:
        return SparingInMemory(self)

    def for_agents(self) -> GitHubInMemory:
        return self

    def time_at(self, moment: datetime) -> datetime:
        return moment + self.ahead

    def check_writes(self, repository: str, *, optional: bool = False) -> None:
        if self.writes_limit is not None:
            raise self.writes_limit
        if optional and self.optional_limit is not None:
            raise self.optional_limit

    async def identity(self, installation_id: int) -> AppIdentity:
        self._calls.note("identity")
        return AppIdentity(OWN_APP, BOT.id)

    async def installation_of(self, repository: str) -> int:
        self._calls.note("installation of")
        if repository not in self.installations:
            raise NotFound("installation", status=404)
        return self.installations[repository]

    async def is_suspended(self, installation_id: int) -> bool:
        self._calls.note("is suspended")
        return self.suspended

    async def confirm(self) -> None:
        self._calls.note("confirm")

    async def open_pull_requests(self, repository: str) -> list[OpenPullRequest]:
        self._calls.note("open pull requests")
        return [OpenPullRequest(42, self.head_sha, self.updated_at)] if self.listed else []

    async def repositories(self) -> list[Repository]:
        self._calls.note("repositories")
        return [Repository(id, name, "main") for name, id in self.covering.items()]

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        self._calls.note("pull request")
        if self.suspended:
            raise Forbidden("token", status=403, message="This installation has been suspended")
        if repository not in self.covering or not self.shown:
            raise NotFound("pull request", status=404)
        return PullRequest(
            number=number, state=self.state, merged=self.merged, title="", body=self.body, draft=self.draft,
            author=self.author,
            head=Branch(self.branch, self.head_sha, 99 if self.fork else _REPOSITORY, "acme/shop"),
            base=Branch(self.base, self.base_sha, self.covering[repository], repository),
            default_branch=self.default_branch, labels=self.labels, private=self.private,
            updated_at=self.updated_at,
            closed_at=None if self.state == "open" else self.updated_at,
            mergeable=self.mergeable, merge_commit_sha=self.merge_commit_sha, changed_files=len(self.paths),
            html_url="https://github.com/acme/shop/pull/42", archived=self.archived, node_id=self.node_id,
            assignees=self.assignees,
        )  # fmt: skip

    async def commits(self, repository: str, number: int) -> list[Commit]:
        self._calls.note("commits")
        return list(self.commits_made)

    async def parents(self, repository: str, sha: str) -> tuple[str, ...]:
        self._calls.note("parents")
        return ("0" * 40, self.head_sha)

    async def file(self, repository: str, path: str, ref: str) -> FileContent | None:
        self._calls.note("file")
        if path != self.configuration_path:
            return None
        content = self.configurations.get(ref, self.configuration).encode()
        return FileContent(hashlib.sha1(content, usedforsecurity=False).hexdigest(), content)

    async def tip(self, repository: str, branch: str) -> str:
        self._calls.note("tip")
        return self.git.commit

    @property
    def git(self) -> GitInMemory:
        files = {self.configuration_path: self.configuration.encode(), **self.repository_files}
        return GitInMemory(files, self._calls.note, self.heads_files, self._queue)

    def _queue(self) -> Sequence[str]:
        self.queue_asked += 1
        return self.queued

    async def is_protected(self, repository: str, branch: str) -> bool:
        self._calls.note("branch")
        return branch in self.protected

    async def rules(self, repository: str, branch: str) -> frozenset[str]:
        self._calls.note("rules")
        return self.rules_of.get(branch, frozenset())

    async def glance(self, node_id: str) -> Glance:
        """Show what there is, unless it is a server that knows no such question."""
        self._calls.note("glance")
        if self.suspended:
            raise Forbidden("token", status=403, message="This installation has been suspended")
        if not self.shown:
            raise NotFound("GraphQL", status=404)
        if not self.glances:
            raise Invalid("GraphQL", status=422, message="no such question")
        ordered = sorted(self.comments_written, key=lambda each: each.updated_at, reverse=True)
        shown = [each for each in ordered if each.id not in self.hidden][:20]
        reviews = [each.updated_at for each in self.reviews_written]
        repository = next(iter(self.covering))
        return Glance(
            assignees=self.assignees,
            head_sha=self.head_sha, head_repository_id=99 if self.fork else _REPOSITORY, base_ref=self.base,
            open=self.state == "open", merged=False, draft=self.draft, title="",
            changed_files=len(self.paths),
            closed_at=None if self.state == "open" else self.updated_at,
            body=self.body, labels=self.labels, private=self.private, archived=self.archived,
            repository_id=self.covering[repository], full_name=repository, mergeable=self.mergeable,
            updated_at=max([self.updated_at, *(each.updated_at for each in self.comments_written)]),
            words=tuple(Word(each.id, each.updated_at, each.author.id) for each in shown),
            reviewed_at=max(reviews, default=None), more_words=len(ordered) > len(shown),
            default_branch=self.default_branch,
        )  # fmt: skip

    async def files(self, repository: str, number: int) -> ChangedFiles:
        self._calls.note("files")
        return ChangedFiles(tuple(ChangedFile(path) for path in self.paths))

    async def comments(self, repository: str, number: int, since: datetime | None) -> list[Comment]:
        self._calls.note("comments")
        self.read_since.append(since)
        found = (c for c in self.comments_written if c.id not in self.hidden)
        return [self._shown(c) for c in found if since is None or c.updated_at >= since]

    async def comment(self, repository: str, number: int, comment_id: int) -> Comment | None:
        self._calls.note("comment")
        found = (c for c in self.comments_written if c.id == comment_id and c.id not in self.hidden)
        return next((self._shown(c) for c in found), None)

    async def edits(self, node_ids: Sequence[str]) -> dict[str, Edits]:
        self._calls.note("edits")
        self.edits_asked.append(len(node_ids))
        written = [*self.comments_written, *self.reviews_written]
        named = {node_id_of(c): c for c in written}
        return {each: self._edits_of(named[each]) for each in node_ids if each in named}

    async def asked_for(self, node_id: str, writers: Sequence[int]) -> AskedFor:
        self.asked_times += 1
        self._calls.note("asked for")
        return self.asked

    async def edits_and_asked_for(
        self, node_ids: Sequence[str], node_id: str, writers: Sequence[int]
    ) -> tuple[dict[str, Edits], AskedFor | None]:
        self._calls.note("edits and asked for")
        return await self.edits(node_ids), self.asked if self.asked_beside else None

    def _edits_of(self, comment: Comment) -> Edits:
        edits = self.edited.get(node_id_of(comment), [])
        return Edits(
            created_at=comment.created_at,
            last_edited_at=edits[-1][0] if edits else None,
            editors=frozenset(editor for _, editor in edits),
            body=excerpt(comment.body),
            published_at=self.published.get(node_id_of(comment), comment.created_at),
        )

    def _shown(self, comment: Comment) -> Comment:
        return replace(as_read(comment), node_id=node_id_of(comment))

    async def reviews(self, repository: str, number: int, page: int) -> list[Comment]:
        self._calls.note("reviews")
        self.pages_read.append(page)
        bodies = [as_read(c) for c in self.reviews_written if c.kind is RequestKind.REVIEW]
        return bodies[(page - 1) * PAGE_SIZE :][: REVIEW_PAGES * PAGE_SIZE]

    async def review_comments(self, repository: str, number: int, since: datetime) -> list[Comment]:
        self._calls.note("review comments")
        found = [as_read(c) for c in self.reviews_written if c.kind is RequestKind.REVIEW_COMMENT]
        found = sorted((c for c in found if c.updated_at >= since), key=lambda c: c.updated_at)
        return found[: REVIEW_PAGES * PAGE_SIZE]

    async def react_on_lines(self, repository: str, comment_id: int, content: str) -> None:
        self._calls.note("react on lines")
        self.written_in.append(repository)
        self.reacted_on_lines.append((comment_id, content))

    async def permission(self, repository: str, login: str, account: int = 0) -> str:
        self._calls.note("permission")
        self.asked_about.append(login)
        return self.permissions.get(login, "write")

    async def runs(self, repository: str, head_sha: str) -> Runs:
        self._calls.note("runs")
        return self.ci

    async def awaits_approval(self, repository: str, head_sha: str) -> bool:
        self._calls.note("awaits approval")
        return any(run.conclusion == "action_required" for run in self.ci.workflows)

    async def create_comment(self, repository: str, number: int, body: str) -> Comment:
        self._calls.note("create comment")
        self.written_in.append(repository)
        if self.refused_words and self.refused_words in body:
            raise self._calls.failures["such words"]
        now = self.time_at(self._clock.now)
        comment = Comment(next(self._comment_ids), BOT, OWN_APP, body, now, now)
        self.comments_written.append(comment)
        return replace(as_read(comment), node_id=node_id_of(comment))

    async def update_comment(self, repository: str, comment_id: int, body: str) -> Comment:
        self._calls.note("update comment")
        self.written_in.append(repository)
        place, old = next((i, c) for i, c in enumerate(self.comments_written) if c.id == comment_id)
        new = Comment(old.id, old.author, old.app_id, body, old.created_at, self.time_at(self._clock.now))
        self.comments_written[place] = new
        return new

    async def delete_comment(self, repository: str, comment_id: int) -> None:
        self.comments_written = [c for c in self.comments_written if c.id != comment_id]

    async def react(self, repository: str, comment_id: int, content: str) -> None:
        self._calls.note("react")
        self.written_in.append(repository)
        self.reacted.append((comment_id, content))


class SparingInMemory:
    """The client of those who leave to others what is `kept` of the hour's requests."""

    def __init__(self, github: GitHubInMemory) -> None:
        self._github = github

    def sparing(self) -> SparingInMemory:
        return self

    def time_at(self, moment: datetime) -> datetime:
        return self._github.time_at(moment)

    def check_writes(self, repository: str, *, optional: bool = False) -> None:
        if self._github.kept is not None:
            raise self._github.kept
        self._github.check_writes(repository, optional=optional)

    def __getattr__(self, name: str) -> Any:
        return self._kept if self._github.kept is not None else getattr(self._github, name)

    async def _kept(self, *_: Any) -> None:
        assert self._github.kept is not None
        raise self._github.kept


class RegistryInMemory:
    """A registry with the images of all services for some commits; each says that it is of `revision`."""

    def __init__(self, calls: Calls) -> None:
        self._calls, self.revision = calls, ""
        self.images: set[str] = {"checkout:" + A, "checkout:" + B, "pricing:" + A, "pricing:" + B}

    async def find(self, reference: Any, revision: bool = False) -> FoundImage | None:
        self._calls.note("registry")
        name = f"{reference.repository.rsplit('/', 1)[-1]}:{reference.tag}"
        if name not in self.images:
            return None
        return FoundImage("sha256:" + hashlib.sha256(name.encode()).hexdigest(), self.revision)

    async def tags(self, reference: Any) -> tuple[str, ...]:
        self._calls.note("tags")
        name = reference.repository.rsplit("/", 1)[-1]
        return tuple(sorted(i.partition(":")[2] for i in self.images if i.startswith(f"{name}:")))


class LinksInMemory:
    """What answers behind links, at once: by the path that is asked for, else `answer` for all.

    `staging` answers what is asked of staging's own host, `stranger` what is asked with the bearer
    of another preview, with the guard's proof unless it has one itself. While `silent`, nothing answers.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.answer, self.staging = Answer(200), Answer(200)
        self.stranger = Answer(401, from_guard=True)
        self.by_path: dict[str, Answer] = {}
        self.asked: list[Question] = []
        self.silent = False

    async def ask(self, question: Question) -> Answer:
        self._calls.note("ask link")
        self.asked.append(question)
        if self.silent:
            await asyncio.Event().wait()
        if question.host:
            return self.staging
        if question.pretends:
            return proven(self.stranger, question)
        return self.by_path.get(urlsplit(question.url).path, self.answer)


class Slots(asyncio.Lock):
    """The reconciler's lock, with who waits for it."""

    waits = False

    async def acquire(self) -> Literal[True]:
        """Take the lock, or be seen to wait for it."""
        self.waits = self.locked()
        return await super().acquire()


class World:
    """A pull request of acme/shop and the controller that looks after it."""

    def __init__(
        self,
        kinds: Sequence[ChildKind] = KINDS,
        reporters: Sequence[Reporter] = GITHUB_REPORTERS,
        memory: Memory | None = None,
        **settings: Any,
    ) -> None:
        self._kinds, self._reporters, self.slots = kinds, reporters, Slots()
        self._memory = memory
        self.calls, self.clock = Calls(), Clock(NOW)
        self.cluster = Cluster(self.calls, self.clock)
        self.github = GitHubInMemory(self.calls, self.clock)
        self.registry = RegistryInMemory(self.calls)
        self.links = LinksInMemory(self.calls)
        self.settings: Settings = parse({**SETTINGS, **settings}, {})
        self.outcome, self._deliveries = Outcome(), itertools.count(1)
        self.others: list[Preview] = []
        self.pods: dict[str, tuple[dict[str, Any], ...]] = {}
        self.operator = OperatorSeen()
        self.guard_keys: Callable[[], tuple[bytes, ...]] = tuple
        self.worker: Album | None = None
        self.restart()

    def restart(self) -> None:
        """Start the controller anew: what it held in memory is lost, unless a test keeps it."""
        self._reconciler = Reconciler(
            kube=cast(Any, self.cluster),
            github=cast(Any, self.github),
            registry=cast(Any, self.registry),
            links=cast(Any, self.links),
            renderer=_RENDERER,
            settings=self.settings,
            now=self.clock,
            previews=self._previews,
            pods=lambda _, uid: self.pods.get(uid, ()),
            wrote=lambda obj: None,
            kinds=self._kinds,
            reporters=self._reporters,
            slots=self.slots,
            memory=self._memory or Memory(configurations=_CONFIGURATIONS),
            operator=lambda: self.operator,
            guard_keys=lambda: self.guard_keys(),
            asked_elsewhere=lambda name: tuple(
                obj for key, obj in self.cluster.requests.items() if key.startswith(f"{name}-")
            ),
            pictures=self.worker,
        )

    def press(
        self,
        asked: str,
        by: Account = ANN,
        *,
        at: str = "",
        delivery: str = "",
        poke: bool = True,
        page: bool = False,
        by_proxy: str = "",
        mark: str = "",
        saying: Saying | None = None,
    ) -> Ask:
        """Press a button of the check of the newest commit, or of the one `at` which it stands.

        On the preview's page nobody pokes; only there is somebody of a name who came `by_proxy`, and who may
        be `saying` something; without a `mark` all of one name are one person.
        """
        page = page or bool(by_proxy)
        delivery = delivery or f"press {next(self._deliveries)}"
        kind, number = (AskedIn.PAGE, 0) if page else (AskedIn.CHECK_RUN, 9001)
        source = Source(kind.value, number, delivery, at or self.github.head_sha)
        actor = somebody(by_proxy, mark) if by_proxy else Actor(by.login, by.id)
        ask = Ask(_REPOSITORY, 42, asked, actor, source, self.clock.now, saying)
        self.cluster.ask(ask)
        if poke and not page:
            self.poke(urgent_by=by.id)
        return ask

    def say_by_proxy(
        self,
        words: str = "The sum is wrong.",
        name: str = "Pia",
        says: Says = Says.WORK,
        sha: str = "",
        mark: str = "",
    ) -> Ask:
        """Say something of the commit that serves, as somebody who came by a proxy."""
        sha = sha or self.github.head_sha
        return self.press(SAY, by_proxy=name, mark=mark, saying=Saying(says, sha, "/cart", words))

    def _previews(self) -> Sequence[Preview]:
        return [*self.others, *([from_object(self.cluster.preview)] if self.cluster.preview else [])]

    # What happens

    def poke(
        self,
        *,
        comment_id: int = 0,
        by_member: bool = False,
        urgent_by: int | None = None,
        closes: bool = False,
        queued: bool = False,
    ) -> None:
        """Tell of something at GitHub, as web does for each webhook.

        `urgent_by` is who wrote a comment on somebody else's pull request, 0 for whoever set a label.
        """
        now, delivery = self.clock.now, f"delivery {next(self._deliveries)}"
        self.cluster.poke(
            Poke(
                delivery_id=delivery,
                poked_at=now,
                comment_id=comment_id,
                member_comment_id=comment_id if by_member else 0,
                label_id=delivery if urgent_by == 0 else "",
                call_id=delivery if urgent_by else "",
                called_by=urgent_by or 0,
                closed_id=delivery if closes else "",
                event_id="" if urgent_by else delivery,
                queued_id=delivery if queued else "",
            )
        )

    def turn_to(self, number: int) -> None:
        """Go on with another pull request like this one, of which there is nothing in the cluster yet."""
        self.cluster.name, self.cluster.preview = f"gh-812-{number}", None
        self.cluster.sessions.clear()
        self.cluster.routes.clear()
        self.github.comments_written.clear()

    def push(self, sha: str, *, built: bool = True) -> None:
        """Push a commit, with or without its images."""
        self.github.head_sha, self.github.updated_at = sha, self.clock.now
        names = {f"{service}:{sha}" for service in ("checkout", "pricing")}
        self.registry.images = self.registry.images | names if built else self.registry.images - names
        self.poke()

    def configure(self, configuration: str) -> None:
        """Change the configuration file on the default branch."""
        self.github.configuration = configuration
        self.poke()

    def say(self, body: str, author: Account = ANN, app_id: int | None = None) -> int:
        """Write a comment, as somebody with write access if nobody else is named; return its id."""
        number = self.github.say(body, author, app_id=app_id)
        by_author = author == self.github.author
        self.poke(comment_id=number, urgent_by=None if by_author else author.id)
        return number

    def review(
        self,
        body: str,
        author: Account = ANN,
        *,
        on_lines: bool = False,
        number: int = 0,
        by_member: bool = False,
        begun_at: datetime | None = None,
    ) -> int:
        """Submit a review, or a comment on lines, and tell of it as web does; return its id."""
        number = self.github.review(body, author, on_lines=on_lines, number=number, begun_at=begun_at)
        self.poke_review(number, author, on_lines=on_lines, by_member=by_member)
        return number

    def poke_review(
        self, number: int, author: Account = ANN, *, on_lines: bool = False, by_member: bool = False
    ) -> None:
        """Tell of a review, or of a comment on lines, as web does."""
        delivery = f"delivery {next(self._deliveries)}"
        called = author != self.github.author
        of_member = number if by_member else 0
        self.cluster.poke(
            Poke(
                delivery_id=delivery,
                poked_at=self.clock.now,
                call_id=delivery if called else "",
                called_by=author.id if called else 0,
                event_id="" if called else delivery,
                review_id=0 if on_lines else number,
                review_comment_id=number if on_lines else 0,
                member_review_id=0 if on_lines else of_member,
                member_review_comment_id=of_member if on_lines else 0,
            )
        )

    def list_it(self) -> None:
        """Let the listing find that something changed."""
        delivery = f"{LISTING}{next(self._deliveries)}"
        self.cluster.poke(
            Poke(delivery_id=delivery, poked_at=self.clock.now, updated_at=self.github.updated_at)
        )

    def close(self) -> None:
        """Close the pull request."""
        self.github.state, self.github.updated_at = "closed", self.clock.now
        self.poke(closes=True)

    def remembers_that_nothing_triggers(self) -> bool:
        """Return whether the listing would pass it over, as it is now."""
        github, seen = self.github, self._reconciler.untriggered
        return seen.remembers(_REPOSITORY, 42, github.updated_at, github.head_sha, self.clock.now)

    def fail(self, *calls: str, by: Exception) -> None:
        """Let these calls fail from now on."""
        self.calls.failures |= dict.fromkeys(calls, by)

    def fail_github(self, by: Exception) -> None:
        """Let everything of GitHub fail from now on."""
        self.fail(*GITHUB, by=by)

    def mend(self) -> None:
        """Let nothing fail any more."""
        self.calls.failures.clear()

    # What the controller does

    async def run(self) -> Outcome:
        """Make one pass."""
        self.calls.made.clear()
        self.calls.listed.clear()
        self.outcome = await self._reconciler.reconcile(self.cluster.name)
        return self.outcome

    async def looks(self, seconds: float) -> bool:
        """Make a pass, let so many seconds go by, and return whether GitHub was looked at."""
        await self.run()
        self.clock.forward(seconds=seconds)
        return "comments" in self.calls.made

    async def settle(self, passes: int = 12, seconds: float = 5) -> World:
        """Make passes, some seconds apart."""
        for _ in range(passes):
            await self.run()
            self.clock.forward(seconds=seconds)
        return self

    # What there is

    @property
    def preview(self) -> Preview:
        """The Preview as it is stored."""
        assert self.cluster.preview is not None
        return from_object(self.cluster.preview)

    @property
    def status(self) -> Status:
        """The stored status."""
        return self.preview.status

    @property
    def service(self) -> Service:
        """The first service of the stored status."""
        return self.status.services[0]

    @property
    def serving(self) -> list[str]:
        """The commits whose sessions serve now."""
        sessions = self.cluster.sessions.values()
        serving = [s for s in sessions if s["status"]["phase"] == "Ready"]
        return sorted(s["metadata"]["annotations"]["previewbot.dev/head-sha"] for s in serving)

    @property
    def labelled(self) -> list[str]:
        """The names of the sessions that bear the Preview's label."""
        return [n for n, s in self.cluster.sessions.items() if PREVIEW_LABEL in s["metadata"]["labels"]]

    @property
    def comment(self) -> str:
        """The status comment, or nothing."""
        # An answer may come first, where GitHub refused the status comment for a while.
        return next((body for body in self.github.own_comments() if "previewbot status" in body), "")

    @property
    def answers(self) -> list[str]:
        """The words that previewbot gave in answer to issue comments, oldest first."""
        return [body for body in self.github.own_comments() if "reply-to=" in body]


GITHUB = (
    "identity", "installation of", "is suspended", "repositories", "open pull requests",
    "pull request", "glance", "commits", "parents", "file",
    "branch", "rules", "files", "comments", "comment", "edits", "reviews", "review comments", "permission",
    "runs", "create comment", "update comment",
    "react", "react on lines",
    "awaits approval", "deployments", "create deployment", "say of deployment",
)  # fmt: skip
"""Every call to GitHub."""


async def ready(world: World | None = None) -> World:
    """Return a world, this one or a new one, in which the first commit serves."""
    world = world or World()
    await world.settle()
    assert set(world.serving) == {A}
    return world


async def in_trouble(world: World, pod: dict[str, Any]) -> World:
    """Return a world whose session's pod has such a status while it starts, and of which that was told."""
    world.cluster.session_status = {"phase": "Waiting"}
    world.poke()
    if world.github.fork:
        await world.settle(2)
        world.say(f"/preview start {A}")
    await world.settle(4)
    for session in world.cluster.sessions.values():
        uid = session["metadata"]["uid"]
        world.pods[uid] = (a_pod(uid, pod, uid=f"pod of {uid}"),)
    return await world.settle(2)
