"""Check runs, workflow runs and contents as GitHub writes them in JSON (API version 2022-11-28)."""

from __future__ import annotations

import base64
import textwrap
import zlib

from previewbot_demo.github import trees
from previewbot_demo.github.model import Account, Commit, Repository, Run, State
from previewbot_demo.github.model_checks import Report
from previewbot_demo.github.shapes import Json, iso, node_id
from previewbot_demo.github.shapes_pull import PullShapes

ACTIONS = Account(41898282, "github-actions[bot]", "Bot")
"""The account of GitHub's own CI."""

_APPS = {"github-actions": (15368, "GitHub Actions"), "codecov": (254, "Codecov")}
"""The Apps that report checks here, by the slug in their address: their real numbers and names."""

_WORKFLOW = 77


def _head_commit(commit: Commit) -> Json:
    person = {"name": commit.author.login, "email": f"{commit.author.login}@example.com"}
    return {
        "id": commit.sha,
        "tree_id": trees.tree_sha(commit.tree),
        "message": commit.message,
        "timestamp": iso(commit.at),
        "author": person,
        "committer": person,
    }


class RunShapes(PullShapes):
    """Writes what CI shows, and files."""

    def check_run(self, state: State, run: Run) -> Json:
        """Return a `check-run`."""
        repository = state.repositories[run.repository_id]
        url = f"{self.api}/repos/{repository.full_name}/check-runs/{run.id}"
        html = f"{self.web}/{repository.full_name}/runs/{run.id}"
        done, said = run.status == "completed", run.report or Report()
        return {
            "id": run.id,
            "name": run.name,
            "node_id": node_id("CheckRun", run.id),
            "head_sha": run.sha,
            "external_id": said.external_id or str(run.id),
            "url": url,
            "html_url": html,
            "details_url": said.details_url or html,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": iso(run.started_at),
            "completed_at": iso(run.updated_at) if done else None,
            "output": {
                **{"title": said.title, "summary": said.summary, "text": said.text or None},
                "annotations_count": len(said.remarks),
                "annotations_url": f"{url}/annotations",
            },
            "check_suite": {"id": run.check_suite},
            "app": self._app_of(repository, run.app),
            "pull_requests": self.pulls_of_run(state, run),
        }

    def check_run_event(self, state: State, run: Run) -> Json:
        """Return a check run as its webhook has it: with more of its suite."""
        repository = state.repositories[run.repository_id]
        shape = self.check_run(state, run)
        if run.report is not None:
            # Only webhooks show the buttons.
            shape["actions"] = [vars(button) for button in run.report.buttons]
        suite = {
            "id": run.check_suite,
            "node_id": node_id("CheckSuite", run.id),
            "head_branch": next((p["head"]["ref"] for p in shape["pull_requests"]), None),
            "head_sha": run.sha,
            "status": run.status,
            "conclusion": run.conclusion,
            "url": f"{self.api}/repos/{repository.full_name}/check-suites/{run.check_suite}",
            "before": None,
            "after": run.sha,
            "pull_requests": shape["pull_requests"],
            "app": shape["app"],
            "created_at": iso(run.started_at),
            "updated_at": iso(run.updated_at),
        }
        return shape | {"check_suite": suite}

    def app_ids(self) -> dict[str, int]:
        """Return the numbers of the Apps that report checks, by their slugs."""
        return {slug: number for slug, (number, _) in _APPS.items()} | {self._app.slug: self._app.id}

    def workflow_run(self, state: State, run: Run) -> Json:
        """Return a `workflow-run`."""
        home = state.repositories[run.repository_id]
        commit = state.commits[run.sha]
        pull = next((p for p in state.pulls.values() if p.head_sha == run.sha), None)
        head = state.repositories.get(pull.head_repository_id, home) if pull else home
        return {
            "id": run.id,
            "name": run.name,
            "node_id": node_id("WorkflowRun", run.id),
            "head_branch": pull.head_ref if pull else None,
            "head_sha": run.sha,
            "path": f".github/workflows/{run.file}",
            "check_suite_id": run.check_suite,
            "display_title": commit.message.partition("\n")[0],
            "run_number": run.id,
            "run_attempt": 1,
            "event": "pull_request",
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": _workflow(run),
            **self._workflow_urls(home, run),
            "pull_requests": self.pulls_of_run(state, run),
            **dict.fromkeys(("created_at", "run_started_at"), iso(run.started_at)),
            "updated_at": iso(run.updated_at),
            **dict.fromkeys(("actor", "triggering_actor"), self.account(commit.author)),
            "head_commit": _head_commit(commit),
            "repository": self.repository(state, home),
            "head_repository": self.repository(state, head),
        }

    def _workflow_urls(self, home: Repository, run: Run) -> Json:
        api = f"{self.api}/repos/{home.full_name}"
        url = f"{api}/actions/runs/{run.id}"
        return {
            "url": url,
            "html_url": f"{self.web}/{home.full_name}/actions/runs/{run.id}",
            **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")},
            "check_suite_url": f"{api}/check-suites/{run.check_suite}",
            "workflow_url": f"{api}/actions/workflows/{_workflow(run)}",
            "previous_attempt_url": None,
        }

    def content(self, repository: Repository, ref: str, path: str, data: bytes) -> Json:
        """Return a `content-file`, its content in lines of base64."""
        shape = self._entry(repository, ref, path, "file", trees.blob_sha(data), len(data))
        return shape | _in_base64(data)

    def git_tree(self, repository: Repository, tree: trees.Tree, *, whole: bool) -> Json:
        """Return a `git-tree`, with `whole` also what is in its folders."""
        api = f"{self.api}/repos/{repository.full_name}/git"
        found = [
            {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
            | ({} if entry.size is None else {"size": entry.size})
            | ({} if entry.kind == "commit" else {"url": f"{api}/{entry.kind}s/{entry.sha}"})
            for entry in trees.entries(tree, whole=whole)
        ]
        sha = trees.tree_sha(tree)
        return {"sha": sha, "url": f"{api}/trees/{sha}", "tree": found, "truncated": False}

    def git_blob(self, repository: Repository, data: bytes) -> Json:
        """Return a `blob`, its content in lines of base64."""
        sha = trees.blob_sha(data)
        return {
            "sha": sha,
            "node_id": node_id("Blob", sha),
            "size": len(data),
            "url": f"{self.api}/repos/{repository.full_name}/git/blobs/{sha}",
            **_in_base64(data),
        }

    def directory(self, repository: Repository, ref: str, path: str, tree: trees.Tree) -> list[Json]:
        """Return the entries of a directory (an empty list if there is none)."""
        prefix = f"{path}/" if path else ""
        below = {p.removeprefix(prefix): data for p, data in tree.items() if p.startswith(prefix)}
        files = [
            self._entry(repository, ref, prefix + name, "file", trees.blob_sha(data), len(data))
            for name, data in below.items()
            if "/" not in name
        ]
        names = sorted({name.partition("/")[0] for name in below if "/" in name})
        return [
            self._entry(repository, ref, prefix + n, "dir", trees.tree_sha(trees.subtree(below, n)), 0)
            for n in names
        ] + files

    def _entry(self, repository: Repository, ref: str, path: str, kind: str, sha: str, size: int) -> Json:
        url = f"{self.api}/repos/{repository.full_name}/contents/{path}?ref={ref}"
        word = "blob" if kind == "file" else "tree"
        git = f"{self.api}/repos/{repository.full_name}/git/{word}s/{sha}"
        html = f"{self.web}/{repository.full_name}/{word}/{ref}/{path}"
        raw = f"{self.web}/{repository.full_name}/raw/{ref}/{path}" if kind == "file" else None
        return {
            "type": kind,
            "size": size,
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": sha,
            "url": url,
            "git_url": git,
            "html_url": html,
            "download_url": raw,
            "_links": {"self": url, "git": git, "html": html},
        }

    def _app_of(self, repository: Repository, slug: str) -> Json:
        shape = self.app(self._app, repository.created_at, repository.owner)
        if slug == self._app.slug:
            return shape
        number, name = _APPS[slug]
        return shape | {
            "id": number,
            "slug": slug,
            "name": name,
            "events": [],
            "node_id": node_id("App", number),
        }


def _in_base64(data: bytes) -> Json:
    """Return a file's content as GitHub writes it: in lines of 60 signs."""
    lines = textwrap.wrap(base64.b64encode(data).decode(), 60)
    return {"encoding": "base64", "content": "".join(line + "\n" for line in lines)}


def _workflow(run: Run) -> int:
    """Return the number of a run's workflow: each file is one."""
    return _WORKFLOW + zlib.crc32(run.file.encode()) % 1_000_000
