"""What of a commit's CI is the build, in one table: each row a situation, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.rules.build_candidates import Sought
from previewbot.rules.builds import BuildState, build_of, may_have_built, narrowed
from tests.support import github_ci_samples as ci

OURS = 4242
FOLDER = ".github/workflows/"
run = ci.named_run


def job(suite: int, name: str, conclusion: str | None = "success", **changes: Any) -> dict[str, Any]:
    """Return a job of a workflow run, as the check run that it is."""
    status = changes.pop("status", "completed" if conclusion else "in_progress")
    number = changes.pop("id", 10 + sum(map(ord, name)))
    return ci.check_run(number, name, suite, status=status, conclusion=conclusion, **changes)


def check(app: str, name: str, conclusion: str | None = "success") -> dict[str, Any]:
    """Return a check run of another App."""
    return job(77, name, conclusion, app=ci.app(sum(map(ord, app)), app))


def calls(*paths: str) -> list[dict[str, Any]]:
    """Return what a run tells of the workflows that it calls."""
    return [
        {"path": f"{path}@refs/pull/42/merge", "sha": "a" * 40, "ref": "refs/pull/42/merge"} for path in paths
    ]


WAITS = "action_required"
WAITING = "needs_approval"
DEPLOYS: dict[str, Any] = {"status": "waiting", "conclusion": None}
COPILOT = {
    "path": "dynamic/agents/copilot-pull-request-reviewer",
    "event": "dynamic",
}
BOARD = run("Sync Board Status", WAITS)
AFTERWARDS = {"run_started_at": "2026-03-01T10:40:00Z", "updated_at": "2026-03-01T10:50:00Z"}
"""It began when all the others had ended."""
GOES_ON: dict[str, Any] = {"status": "in_progress", "conclusion": None}

# What is told, and of which run: None is the first, `""` none.
ROWS: list[tuple[str, list[dict[str, Any]], str, str | None]] = [
    ("there is no CI", [], "unknown", ""),
    # One workflow
    ("the build runs", [run(conclusion=None)], "running", "Build image"),
    ("the build is queued", [run(conclusion=None, status="queued")], "running", "Build image"),
    ("concurrency keeps it back", [run(conclusion=None, status="pending")], "running", "Build image"),
    ("the build failed", [run(conclusion="failure")], "failed", "Build image"),
    ("it ran out of time", [run(conclusion="timed_out")], "failed", "Build image"),
    ("it could not even start", [run(conclusion="startup_failure")], "failed", "Build image"),
    ("somebody cancelled it", [run(conclusion="cancelled")], "failed", "Build image"),
    ("it waits for a maintainer", [run(conclusion=WAITS)], "needs_approval", "Build image"),
    ("it is done", [run()], "done", "Build image"),
    ("it was skipped", [run(conclusion="skipped")], "unknown", ""),
    ("it says nothing of itself", [run(conclusion="neutral")], "unknown", ""),
    ("a workflow that is called anything failed", [run("CI", "failure")], "failed", "CI"),
    ("a workflow without a name", [run("", "failure", path=FOLDER + "docker.yml")], "failed", "docker.yml"),
    # G11 and its kind: bystanders that fail
    (
        "a bot's review fails",
        [run(), run("Running Copilot Code Review", "failure", **COPILOT)],
        "done",
        "Build image",
    ),
    ("a bot's review alone", [run("Running Copilot Code Review", "failure", **COPILOT)], "unknown", ""),
    (
        "the agent itself",
        [run("Running Copilot", None, path="dynamic/copilot-swe-agent/copilot", event="dynamic")],
        "unknown",
        "",
    ),
    (
        "CodeQL's default setup",
        [run("CodeQL", "failure", path="dynamic/github-code-scanning/codeql", event="dynamic")],
        "unknown",
        "",
    ),
    (
        "Dependabot's update",
        [run("npm in /", "failure", path="dynamic/dependabot/dependabot-updates", event="dynamic")],
        "unknown",
        "",
    ),
    (
        "Pages",
        [
            run(
                "pages build and deployment",
                "failure",
                path="dynamic/pages/pages-build-deployment",
                event="dynamic",
            )
        ],
        "unknown",
        "",
    ),
    ("lint fails", [run(), run("Lint", "failure")], "done", "Build image"),
    ("lint alone fails", [run("Lint", "failure")], "unknown", ""),
    (
        "lint cannot start while the build goes on",
        [run(conclusion=None), run(".github/workflows/lint.yml", "startup_failure")],
        "running",
        "Build image",
    ),
    ("the tests fail", [run(), run("Tests", "failure")], "done", "Build image"),
    ("the tests alone fail", [run("Tests", "failure")], "unknown", ""),
    ("coverage falls", [run(), check("codecov", "codecov/patch", "failure")], "done", "Build image"),
    ("Vercel fails", [run(), check("vercel", "Vercel – build", "failure")], "done", "Build image"),
    (
        "SonarCloud fails",
        [run(), check("sonarcloud", "SonarCloud Code Analysis", "failure")],
        "done",
        "Build image",
    ),
    (
        "an agreement is not signed",
        [run(), check("cla-assistant", "license/cla", WAITS)],
        "done",
        "Build image",
    ),
    ("an App on no list fails", [run(), check("acme-gate", "Compliance", "failure")], "done", "Build image"),
    ("such an App alone fails", [check("acme-gate", "Compliance", "failure")], "unknown", ""),
    ("such an App runs", [run(), check("acme-gate", "Compliance", None)], "done", "Build image"),
    ("an image is scanned", [run(), run("Scan image", "failure")], "done", "Build image"),
    ("test results are published", [run(), run("Publish test results", "failure")], "done", "Build image"),
    ("the site's docs are built", [run(), run("Build docs", "failure")], "done", "Build image"),
    (
        "a starter workflow whose job is called build",
        [run("Docker"), run("Node.js CI", "failure", suite=900), job(900, "build (20.x)", "failure")],
        "done",
        "Docker",
    ),
    (
        "a linter whose job is called build",
        [run("Docker"), run("Lint", "failure", suite=900), job(900, "build", "failure")],
        "done",
        "Docker",
    ),
    ("two that say nothing, one of which failed", [run("CI"), run("Main", "failure")], "unknown", ""),
    # G12 and its kind: bystanders that wait
    (
        "a board waits while the build failed",
        [run("Docker build", "failure", event="push"), BOARD],
        "failed",
        "Docker build",
    ),
    (
        "a board waits while the build runs",
        [run("Docker build", None, event="push"), BOARD],
        "running",
        "Docker build",
    ),
    ("a board waits while something runs", [run("CI", None), BOARD], "running", "CI"),
    ("anything waits while something failed", [run("CI", "failure"), run("Main", WAITS)], "failed", "CI"),
    ("a board alone waits", [BOARD], "unknown", ""),
    (
        "all of an agent's workflows wait",
        [run("Lint", WAITS), run("Docker", WAITS), run("Tests", WAITS)],
        "needs_approval",
        "Docker",
    ),
    ("only tests wait, and nothing else is known", [run("Tests", WAITS)], "needs_approval", "Tests"),
    ("a deployment waits", [run(), run("Deploy production", **DEPLOYS)], "done", "Build image"),
    ("a deployment alone waits", [run("Deploy production", **DEPLOYS)], "unknown", ""),
    ("a deployment's run waits for a maintainer", [run("Deploy production", WAITS)], "unknown", ""),
    (
        "the build is done and the same run deploys",
        [
            run("Release", suite=900, **DEPLOYS),
            job(900, "image"),
            job(900, "production", None, status="waiting"),
        ],
        "done",
        "Release",
    ),
    (
        "something is done and the same run deploys",
        [run("CI", suite=900, **DEPLOYS), job(900, "main"), job(900, "production", None, status="waiting")],
        "done",
        "CI",
    ),
    (
        "the build failed and the same run deploys",
        [
            run("Release", suite=900, **DEPLOYS),
            job(900, "image", "failure"),
            job(900, "prod", None, status="waiting"),
        ],
        "failed",
        "Release",
    ),
    ("the build's own environment waits", [run(suite=900, **DEPLOYS)], "running", "Build image"),
    # Attempts, siblings, events
    ("an older attempt failed", [run(id=1, conclusion="failure"), run(id=2)], "done", "Build image"),
    ("a newer attempt failed", [run(id=2, conclusion="failure"), run(id=1)], "failed", "Build image"),
    (
        "concurrency cancelled the older",
        [run(id=1, conclusion="cancelled"), run(id=2, conclusion=None)],
        "running",
        "Build image",
    ),
    (
        "concurrency cancelled the newer",
        [run(id=1), run(id=2, conclusion="cancelled")],
        "done",
        "Build image",
    ),
    (
        "the sibling of another event goes on",
        [run(id=1, event="push", conclusion="cancelled"), run(id=2, conclusion=None)],
        "running",
        "Build image",
    ),
    (
        "it failed for one event",
        [run(id=1, event="push", conclusion="failure"), run(id=2)],
        "failed",
        "Build image",
    ),
    (
        "it failed for a pull request, and then went well by hand",
        [run(id=1, conclusion="failure"), run(id=2, event="workflow_dispatch", **AFTERWARDS)],
        "done",
        "Build image",
    ),
    (
        "it failed for a pull request, and then goes on by hand",
        [run(id=1, conclusion="failure"), run(id=2, event="workflow_dispatch", **AFTERWARDS | GOES_ON)],
        "running",
        "Build image",
    ),
    (
        "it failed for a push, and then only went well for the pull request, which may push nothing",
        [run(id=1, event="push", conclusion="failure"), run(id=2, **AFTERWARDS)],
        "failed",
        "Build image",
    ),
    (
        "it failed by hand after it went well",
        [run(id=1), run(id=2, event="workflow_dispatch", conclusion="failure", **AFTERWARDS)],
        "failed",
        "Build image",
    ),
    (
        "what went well later is another workflow",
        [run("CI", "failure"), run("Main", **AFTERWARDS)],
        "unknown",
        "",
    ),
    (
        "what went well later built only another service",
        [
            run("CI", "failure", id=1, suite=900),
            job(900, "image (checkout)", "failure"),
            run("CI", id=2, suite=901, event="push", **AFTERWARDS),
            job(901, "image (pricing)"),
        ],
        "failed",
        "CI",
    ),
    ("a bystander was cancelled", [run(), run("CI", "cancelled")], "done", "Build image"),
    (
        "two workflows of one name",
        [
            run("CI", "failure", id=1, workflow=1, path=FOLDER + "lint.yml"),
            run("CI", id=2, workflow=2, path=FOLDER + "image.yml"),
        ],
        "done",
        "CI",
    ),
    (
        "a job was run again",
        [run("CI", suite=900), job(900, "build image", "failure", id=1), job(900, "build image", id=2)],
        "done",
        "CI",
    ),
    # Jobs tell more than their run
    (
        "lint fails in the build's own workflow",
        [run("CI", "failure", suite=900), job(900, "lint", "failure"), job(900, "build image")],
        "done",
        "CI",
    ),
    (
        "the image needs a job that failed",
        [run("CI", "failure", suite=900), job(900, "lint", "failure"), job(900, "build image", "skipped")],
        "failed",
        "CI",
    ),
    ("the image's job failed", [run("CI", None, suite=900), job(900, "docker", "failure")], "failed", "CI"),
    (
        "the image's job is done and the rest runs",
        [run("CI", None, suite=900), job(900, "docker")],
        "running",
        "CI",
    ),
    (
        "a path filter skipped the image",
        [run("CI", suite=900), job(900, "docker", "skipped"), job(900, "changes")],
        "unknown",
        "",
    ),
    (
        "one of a matrix failed, of another service",
        [
            run("CI", "failure", suite=900),
            job(900, "image (pricing)", "failure"),
            job(900, "image (checkout)"),
        ],
        "done",
        "CI",
    ),
    (
        "one of a matrix failed, of this service",
        [
            run("CI", "failure", suite=900),
            job(900, "image (pricing)"),
            job(900, "image (checkout)", "failure"),
        ],
        "failed",
        "CI",
    ),
    (
        "a reusable workflow builds",
        [run("CI", "failure", suite=900), job(900, "images / build-checkout", "failure")],
        "failed",
        "CI",
    ),
    # Services of a repository
    (
        "another service's build failed",
        [run("Build checkout"), run("Build pricing", "failure")],
        "done",
        "Build checkout",
    ),
    ("only another service's build ran", [run("Build pricing", "failure")], "unknown", ""),
    (
        "another service's build runs",
        [run("Build checkout", "failure"), run("Build pricing", None)],
        "failed",
        "Build checkout",
    ),
    # Workflows that follow one another, and other systems
    ("what pushes follows what builds", [run("Build"), run("CI", None)], "running", "CI"),
    (
        "a deployment of what was built failed",
        [run(), run("Deploy staging", "failure", event="push")],
        "done",
        "Build image",
    ),
    ("Buildkite runs", [check("buildkite", "buildkite/checkout", None)], "running", "buildkite/checkout"),
    (
        "Cloud Build failed",
        [check("google-cloud-build", "shop-trigger", "failure")],
        "failed",
        "shop-trigger",
    ),
    ("a Jenkins of one's own runs", [check("acme-jenkins", "build image", None)], "running", "build image"),
    (
        "another system builds beside Actions' tests",
        [run("Tests", "failure"), check("circleci-checks", "image", "failure")],
        "failed",
        "image",
    ),
    (
        "a required workflow fails",
        [run(), run("Policy", "failure", path="acme/rules/.github/workflows/policy.yml")],
        "done",
        "Build image",
    ),
    ("our own checks", [job(77, "build image", None, app=ci.app(OURS))], "unknown", ""),
    # As public repositories have it
    (
        "the images of two platforms are built, and not put together",
        [
            run("ci", "failure", suite=900),
            job(900, "build (linux/amd64)", id=1),
            job(900, "build (linux/arm64)", id=2),
            job(900, "merge", "failure"),
        ],
        "failed",
        "ci",
    ),
    (
        "so does a workflow that is called for each service",
        [
            run("CI", "failure", suite=900),
            job(900, "docker / build (checkout, amd64)"),
            job(900, "docker / create-manifest", "failure"),
        ],
        "failed",
        "CI",
    ),
    (
        "reports are put together, too",
        [run("CI", "failure", suite=900), job(900, "docker"), job(900, "merge-reports", "failure")],
        "done",
        "CI",
    ),
    (
        "all of CI's jobs only test, and one failed",
        [run("CI", "failure", suite=900), job(900, "lint", "failure"), job(900, "test (20.x)")],
        "unknown",
        "",
    ),
    ("all of CI's jobs only test", [run("CI", suite=900), job(900, "lint"), job(900, "unit")], "unknown", ""),
    (
        "CI goes on, and shows only its tests as yet",
        [run("CI", None, suite=900), job(900, "test")],
        "running",
        "CI",
    ),
    (
        "only the services that changed are built, of another service",
        [run("Build images", "failure", suite=900), job(900, "build (pricing)", "failure")],
        "unknown",
        "",
    ),
    (
        "the same in a workflow of all",
        [run("CI", "failure", suite=900), job(900, "image (pricing)", "failure"), job(900, "lint")],
        "unknown",
        "",
    ),
    ("one that lints, tests and builds", [run("Lint, test and build", "failure")], "failed", None),
    (
        "its job",
        [run("Lint & build", "failure", suite=900), job(900, "lint", "failure"), job(900, "build")],
        "done",
        None,
    ),
    ("the site is built and deployed", [run(), run("Build and deploy docs", "failure")], "done", None),
    ("it is called continuous integration", [run("Continuous Integration", "failure")], "failed", None),
    ("tests run in containers", [run("Integration tests in Docker", "failure")], "unknown", ""),
    ("the image is looked at", [run(), run("Docker Scout", "failure")], "done", "Build image"),
    ("infrastructure is planned", [run("Terraform plan", "failure")], "unknown", ""),
    ("a release is prepared", [run("release-please", "failure")], "unknown", ""),
    ("hooks of commits", [run("pre-commit", "failure")], "unknown", ""),
    ("a chart is looked at", [run("Helm chart", "failure")], "unknown", ""),
    ("a Jenkins by its default", [check("acme-jenkins", "Jenkins", "failure")], "failed", "Jenkins"),
    (
        "pipelines as code of one's own",
        [check("acme-ci", "Pipelines as Code CI / shop-pull-request", None)],
        "running",
        "Pipelines as Code CI / shop-pull-request",
    ),
    (
        "Amplify of another region",
        [check("aws-amplify-eu-west-1", "AWS Amplify build", "failure")],
        "unknown",
        "",
    ),
    ("Netlify's rules", [run(), check("netlify", "Header rules - shop", "failure")], "done", "Build image"),
    (
        "a queue of merges",
        [run(), check("mergify", "Merge Queue", None), check("graphite-app", "mergeability_check", None)],
        "done",
        "Build image",
    ),
    (
        "what was built is not pushed",
        [run("CI", "failure", suite=900), job(900, "build-image"), job(900, "push", "failure")],
        "failed",
        "CI",
    ),
    (
        "a package is not published",
        [run("CI", "failure", suite=900), job(900, "docker"), job(900, "publish package", "failure")],
        "done",
        "CI",
    ),
    ("one that builds and deploys waits for a maintainer", [run("Build and deploy", WAITS)], WAITING, None),
    ("so does all of CI and delivery", [run("CI/CD pipeline", WAITS)], WAITING, None),
    (
        "a label cancelled it, and had nothing to do itself",
        [run(id=1, conclusion="cancelled"), run(id=2, conclusion="skipped")],
        "failed",
        None,
    ),
    ("a gate waits for all", [run(suite=900), job(900, "docker"), job(900, "all-green", None)], "done", None),
]
CASES = [
    (about, shown, state, shown[0]["name"] if name is None else name) for about, shown, state, name in ROWS
]

SOUGHT = Sought(names=("checkout",), others=("pricing",), app_id=OURS)


@pytest.mark.parametrize(("shown", "state", "name"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_build_is(shown: list[dict[str, Any]], state: str, name: str) -> None:
    build = build_of(ci.runs_of(*shown), SOUGHT)

    assert (build.state, build.name) == (BuildState(state), name)


@pytest.mark.parametrize(
    ("shown", "state"), [(case[1], case[2]) for case in CASES], ids=[c[0] for c in CASES]
)
def test_the_order_in_which_github_lists_runs_says_nothing(shown: list[dict[str, Any]], state: str) -> None:
    assert build_of(ci.runs_of(*reversed(shown)), SOUGHT).state == BuildState(state)


def test_what_else_failed_or_waits_is_told_beside_it() -> None:
    build = build_of(ci.runs_of(run(), run("Lint", "failure"), BOARD), SOUGHT)

    assert (build.also_failed, build.also_wait) == (("Lint",), ("Sync Board Status",))


def test_a_deployment_that_waits_is_not_even_told_beside_it() -> None:
    waiting = [run("Deploy production", **DEPLOYS), run("Deploy production", WAITS, workflow=9)]

    build = build_of(ci.runs_of(run(), *waiting), SOUGHT)

    assert (build.also_failed, build.also_wait) == ((), ())


def test_no_link_leads_to_what_waits_for_the_approval_of_an_environment() -> None:
    for shown in ([run(suite=900, **DEPLOYS)], [run("CI", suite=900, **DEPLOYS), job(900, "main")]):
        named = Sought(workflow=FOLDER + "build-image.yml", app_id=OURS)
        for sought in (SOUGHT, named):
            build = build_of(ci.runs_of(*shown), sought)

            assert build.state is not BuildState.NEEDS_APPROVAL
            assert build.state is not BuildState.RUNNING or not build.url


def test_the_run_to_look_at_has_its_address_and_its_start() -> None:
    failed = run(conclusion="failure")

    build = build_of(ci.runs_of(failed, run("Lint", "failure")), SOUGHT)

    assert build.url == failed["html_url"]
    assert build.started_at is not None
    assert build.started_at.isoformat() == failed["run_started_at"].replace("Z", "+00:00")


# What the configuration names


NAMED: list[tuple[str, Sought, list[dict[str, Any]], str]] = [
    (
        "it runs",
        Sought(workflow=FOLDER + "ship.yml"),
        [run("Ship", None), run("Docker", "failure")],
        "running",
    ),
    ("it failed", Sought(workflow=FOLDER + "ship.yml"), [run("Ship", "failure"), run("Docker")], "failed"),
    ("it is done", Sought(workflow=FOLDER + "ship.yml"), [run("Ship"), run("Docker", None)], "done"),
    ("it waits", Sought(workflow=FOLDER + "ship.yml"), [run("Ship", WAITS), run("Docker")], "needs_approval"),
    (
        "it lints, too",
        Sought(workflow=FOLDER + "lint.yml"),
        [run("Lint", "failure"), run("Docker")],
        "failed",
    ),
    ("it did not run", Sought(workflow=FOLDER + "ship.yml"), [run("Docker", "failure")], "not_run"),
    ("it was skipped", Sought(workflow=FOLDER + "ship.yml"), [run("Ship", "skipped")], "not_run"),
    (
        "another's of that name",
        Sought(workflow=FOLDER + "ship.yml"),
        [run("Ship", path="acme/x/.github/workflows/ship.yml")],
        "not_run",
    ),
    ("there is nothing", Sought(workflow=FOLDER + "ship.yml"), [], "not_run"),
    (
        "a check failed",
        Sought(check="jenkins/pr"),
        [check("acme-jenkins", "jenkins/pr", "failure"), run()],
        "failed",
    ),
    (
        "a check runs",
        Sought(check="jenkins/pr"),
        [check("acme-jenkins", "jenkins/pr", None), run()],
        "running",
    ),
    (
        "a check of an App that builds nothing",
        Sought(check="Vercel"),
        [check("vercel", "Vercel", "failure")],
        "failed",
    ),
    ("a job", Sought(check="images"), [run("CI", "failure", suite=900), job(900, "images")], "done"),
    (
        "a job that failed and was run by hand then",
        Sought(check="images"),
        [
            run("CI", "failure", suite=900),
            job(900, "images", "failure"),
            run("CI", id=2, suite=901, event="workflow_dispatch", **AFTERWARDS),
            job(901, "images", started_at=AFTERWARDS["run_started_at"]),
        ],
        "done",
    ),
    (
        "a job that failed, and one of that name in another workflow later",
        Sought(check="images"),
        [
            run("CI", "failure", suite=900),
            job(900, "images", "failure"),
            run("Main", suite=901, **AFTERWARDS),
            job(901, "images", started_at=AFTERWARDS["run_started_at"]),
        ],
        "failed",
    ),
    ("no such check", Sought(check="images"), [run("CI", None)], "not_run"),
    (
        "another calls it",
        Sought(workflow=FOLDER + "docker.yml"),
        [
            run(
                "CI",
                "failure",
                suite=900,
                referenced_workflows=calls("acme/shop/" + FOLDER + "docker.yml"),
            ),
            job(900, "images / build", "failure"),
        ],
        "failed",
    ),
    (
        "another calls one of that name elsewhere",
        Sought(workflow=FOLDER + "docker.yml"),
        [run("CI", referenced_workflows=calls("acme/flows/.github/workflows/docker.yml"))],
        "not_run",
    ),
    (
        "a check as a pull request shows it",
        Sought(check="CI / images (pull_request)"),
        [run("CI", None, suite=900), job(900, "images", None)],
        "running",
    ),
    (
        "a check with its workflow",
        Sought(check="CI / images"),
        [run("CI", None, suite=900), job(900, "images", "failure")],
        "failed",
    ),
    (
        "its matrix has only another service",
        Sought(names=("checkout",), others=("pricing",), workflow=FOLDER + "ci.yml"),
        [run("CI", "failure", suite=900), job(900, "image (pricing)", "failure")],
        "not_run",
    ),
    (
        "its matrix failed, of another service",
        Sought(names=("checkout",), others=("pricing",), workflow=FOLDER + "ci.yml"),
        [
            run("CI", "failure", suite=900),
            job(900, "image (pricing)", "failure"),
            job(900, "image (checkout)"),
        ],
        "done",
    ),
]


@pytest.mark.parametrize(
    ("sought", "shown", "state"), [case[1:] for case in NAMED], ids=[c[0] for c in NAMED]
)
def test_of_a_build_that_is_named_only_that_counts(
    sought: Sought, shown: list[dict[str, Any]], state: str
) -> None:
    assert build_of(ci.runs_of(*shown), sought).state == BuildState(state)


# What ran before


def test_a_workflow_that_ran_when_an_image_appeared_counts_before_what_is_called_a_build() -> None:
    sought = Sought(names=("checkout",), remembered=frozenset({FOLDER + "main.yml"}))
    shown = [run("Main", "failure"), run("Docker", None)]

    assert build_of(ci.runs_of(*shown), Sought()).state is BuildState.RUNNING
    assert (build_of(ci.runs_of(*shown), sought).state, build_of(ci.runs_of(*shown), sought).name) == (
        BuildState.FAILED,
        "Main",
    )


def test_of_several_that_ran_before_what_is_called_a_build_is_blamed() -> None:
    """Tests often run for longer than the build, so they run whenever an image appears."""
    both = Sought(names=("checkout",), remembered=frozenset({FOLDER + "ci.yml", FOLDER + "docker.yml"}))

    assert build_of(ci.runs_of(run("CI", "failure"), run("Docker")), both).state is BuildState.DONE
    assert build_of(ci.runs_of(run("CI"), run("Docker", "failure")), both).name == "Docker"


@pytest.mark.parametrize("service", ["reviews", "docs", "notifications", "reports", "lint-server"])
def test_a_service_may_be_called_like_what_builds_nothing(service: str) -> None:
    own = Sought(names=(service,), others=("ratings",))
    other = Sought(names=("ratings",), others=(service,))
    matrix = [
        run("CI", "failure", suite=900),
        job(900, f"docker ({service})", "failure"),
        job(900, "docker (ratings)"),
    ]

    assert build_of(ci.runs_of(run(f"Build {service}", "failure")), own).state is BuildState.FAILED
    assert build_of(ci.runs_of(*matrix), own).state is BuildState.FAILED
    assert build_of(ci.runs_of(*matrix), other).state is BuildState.DONE


def test_what_ran_before_is_only_a_hint_and_what_is_named_counts_first() -> None:
    remembered = frozenset({FOLDER + "main.yml"})
    named = Sought(workflow=FOLDER + "docker.yml", remembered=remembered)

    assert build_of(ci.runs_of(run("Main", "failure"), run("Docker")), named).state is BuildState.DONE
    gone = build_of(ci.runs_of(run("Docker", "failure")), Sought(remembered=remembered))
    assert gone.state is BuildState.FAILED, "a workflow that is there no more says nothing"


def test_what_ran_while_the_image_was_not_there_may_have_built_it() -> None:
    shown = [run("Docker", None), run("Main", None), run("CI"), run("Lint", None), run("Release", "failure")]

    assert may_have_built(ci.runs_of(*shown), SOUGHT) == (FOLDER + "docker.yml", FOLDER + "main.yml")
    assert may_have_built(ci.runs_of(*shown[2:]), SOUGHT) == (FOLDER + "ci.yml",)
    assert may_have_built(ci.runs_of(check("buildkite", "image", None)), SOUGHT) == ()
    assert may_have_built(ci.runs_of(run("Copilot", None, **COPILOT)), SOUGHT) == ()


def test_several_images_narrow_down_which_workflow_it_was() -> None:
    assert narrowed([("a", "b"), (), ("b", "c")]) == {"b"}
    assert narrowed([("a",), ("b",)]) == frozenset()
    assert narrowed([]) == frozenset()
