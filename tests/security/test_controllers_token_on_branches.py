"""The controller's token in the wrong hands, and database branches: a step beyond what previewbot makes.

What is let through is in tests/chart/test_admission_branches.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from previewbot.api import GROUP
from previewbot.engine.annotations import MIGRATIONS_HASH
from tests.chart.release import Account, place_of
from tests.chart.release import put as put_on
from tests.support.admission import KEY, LONGEST, OTHER_KEY, Spoil, branch, controller, drop, put, spoiled
from tests.support.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

OWNER = ("metadata", "ownerReferences")
SOURCE = ("spec", "connectionSource")
NOT_ALLOWED = "does not come from settings.images.allowed"
ENGINE = "has the options of one engine"
SAID = "by something else than a variable, a Secret or a secret manager"
ID = "is not a key of the pull request with a name behind it"
TARGET = "no branch is made for"
Case = tuple[Spoil, str]


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(control_plane) as found:
        yield found


def called(identity: str) -> Spoil:
    """Give a branch an id, and the label of it."""

    def spoil(manifest: dict[str, Any]) -> None:
        manifest["spec"]["id"] = manifest["metadata"]["labels"]["mirrord-branch-id"] = identity

    return spoil


CASES: dict[str, Case] = {
    "the key alone": (called(KEY), ID),
    "somebody's id": (called("pr-42-orders"), ID),
    "an id of another pull request": (called(f"{OTHER_KEY.rsplit('-', 1)[0]}-43-orders"), ID),
    "a long id": (called(f"{KEY}-{'x' * 23}"), ID),
    "capitals": (called(f"{KEY}-Orders"), ID),
    "another's id in the label": (
        put("metadata", "labels", "mirrord-branch-id", value=f"{KEY}-users"),
        "the label mirrord-branch-id",
    ),
    "no label": (drop("metadata", "labels", "mirrord-branch-id"), "lacks the label mirrord-branch-id"),
    "another label": (put("metadata", "labels", "app", value="checkout"), "the label app: checkout"),
    "another annotation": (
        put("metadata", "annotations", "a.example.com/b", value="c"),
        "the annotation a.example",
    ),
    "no hash of its migrations": (
        drop("metadata", "annotations", MIGRATIONS_HASH),
        "lacks one of the annotations",
    ),
    "no owner": (drop(*OWNER), "has one owner"),
    "another's Preview": (put(*OWNER, 0, "name", value="gh-812-43"), ID),
    "another owner": (put(*OWNER, 0, "kind", value="Namespace"), "is not the Preview of pull request"),
    "an owner by another name": (
        put(*OWNER, 0, "name", value="shop-42"),
        "is not the Preview of pull request",
    ),
    "a finalizer": (put("metadata", "finalizers", value=["example.com/never"]), "no finalizers"),
    "another namespace": (put("metadata", "namespace", value="elsewhere"), "in the namespace elsewhere"),
    "any name": (put("metadata", "name", value="orders"), "is not that of a branch of its engine"),
    "the name of another engine": (
        put("metadata", "name", value="mirrord-mysql-branch-0123456789abcdef"),
        "is not that of a branch of its engine",
    ),
    "two engines": (put("spec", "mysqlOptions", value={"copy": {"mode": "all"}}), ENGINE),
    "no engine": (drop("spec", "postgresOptions"), ENGINE),
    "a source that is written out": (put(*SOURCE, "url", value={"literal": "postgres://a:b@c"}), SAID),
    "a value beside a variable": (put(*SOURCE, "url", "env", "value", value="postgres://a:b@c"), SAID),
    "two kinds of source at once": (put(*SOURCE, "url", "secret", value={"name": "a", "key": "b"}), SAID),
    "a text for a source": (put(*SOURCE, "url", value="postgres://a:b@c"), SAID),
    "one of several that is written out": (
        put(*SOURCE, "url", value=[{"env": {"variable": "A"}}, {"literal": "postgres://a:b@c"}]),
        SAID,
    ),
    "a password that is written out": (
        put(*SOURCE, value={"params": {"password": {"value": "hunter2"}}}),
        SAID,
    ),
    "another parameter that is written out": (
        put(*SOURCE, value={"params": {"extra": {"a": {"value": "hunter2"}}}}),
        SAID,
    ),
    "no source at all": (put(*SOURCE, value={"params": {}}), "has either url or params"),
    "a stranger's image of the database": (put("spec", "image", value="evil.example.com/pg:16"), NOT_ALLOWED),
    "an image whose name begins alike": (put("spec", "image", value="ghcr.io/acme-evil/pg:16"), NOT_ALLOWED),
    "an image of Docker Hub's library": (put("spec", "image", value="postgres:16"), NOT_ALLOWED),
    "an image of the host's own": (put("spec", "image", value="localhost/acme/pg"), NOT_ALLOWED),
    "a digest that looks like an image": (
        put("spec", "image", value="evil.io/x@ghcr.io/acme/x:1"),
        NOT_ALLOWED,
    ),
    "nothing for an image": (put("spec", "migrations", "image", value=""), NOT_ALLOWED),
    "a stranger's image that migrates": (
        put("spec", "migrations", value={"flavor": "container", "image": "docker.io/evil/miner:1"}),
        NOT_ALLOWED,
    ),
    "more than migrations": (
        put("spec", "migrations", "serviceAccount", value="admin"),
        "spec.migrations.serviceAccount",
    ),
    "a DaemonSet": (put("spec", "target", "kind", value="DaemonSet"), TARGET),
    "a target without a name": (put("spec", "target", "name", value=""), TARGET),
    "a container that is none": (put("spec", "target", "container", value="*"), TARGET),
    "a longer life": (
        put("spec", "ttlSecs", value=LONGEST + 1),
        "is longer than settings.ttl.max and an hour",
    ),
    "no life": (put("spec", "ttlSecs", value=0), "is longer than settings.ttl.max and an hour"),
}


@pytest.mark.parametrize(("spoil", "words"), CASES.values(), ids=CASES.keys())
def test_a_branch_that_previewbot_would_not_make_is_refused(
    account: Account, spoil: Spoil, words: str
) -> None:
    answer = account.create(spoiled(branch(), spoil))

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]
    assert "resulted in error" not in answer.body["message"]


OF_OTHERS: dict[str, Spoil] = {
    "a branch of mirrord's CLI": drop("metadata", "labels", f"{GROUP}/preview"),
    "a branch of another pull request": put("metadata", "labels", f"{GROUP}/preview", value="gh-812-43"),
    "a branch by another id": called("alice-orders"),
    "a branch by another name": put("metadata", "name", value="orders"),
}


@pytest.mark.parametrize("spoil", OF_OTHERS.values(), ids=OF_OTHERS.keys())
def test_a_branch_of_others_is_neither_changed_nor_removed(
    account: Account, control_plane: ControlPlane, spoil: Spoil
) -> None:
    made = spoiled(branch(), drop(*OWNER), spoil)
    put_on(control_plane, made)

    removed, changed = account.delete(made), account.patch(made, {"spec": {"migrations": None}})
    control_plane.call("DELETE", place_of(control_plane, made))

    assert (removed.status, changed.status) == (422, 422), (removed.text, changed.text)
    assert "what is of others is neither changed nor removed" in removed.text


def test_not_all_branches_can_be_removed_at_once(account: Account) -> None:
    path = "/apis/dbs.mirrord.metalbear.co/v1alpha1/namespaces/staging/branchdatabases?dryRun=All"

    assert account.api.call("DELETE", path).reason == (403, "Forbidden")


def test_what_the_cases_spoil_is_admitted(account: Account) -> None:
    assert account.create(branch()).status == 201
