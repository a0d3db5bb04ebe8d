"""What the name of a workflow, a job or a check says of whether it builds images. Pure.

Names are people's. So they only put runs into an order, in which the likelier explain first; none of them
makes a build of what GitHub shows to be none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

_WORD_RE = re.compile(r"[eE]2[eE]|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_MATRIX_RE = re.compile(r"\s*\([^()]*\)\s*$")
_READ = 200
"""Characters of a name that are looked at."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERBS = _words("""
    assemble bake build builder building builds package packages packaging publish publishes publishing
    push pushes rebuild ship shipping ships
""")
_NOUNS = _words("""
    acr buildah buildkit buildpacks buildx container containerize containers docker dockerfile dockerhub
    dockerize earthly ecr gar gcr ghcr image images jib kaniko ko nixpacks oci podman quay registry
    skaffold
""")
# What builds nothing, whatever else its name has: it looks at the change, or talks of it.
_LOOKS_AT_CODE = _words("""
    actionlint audit codecov codeql coverage coveralls eslint format formatter formatting gitleaks golangci
    hadolint lint linter linters linting prettier ruff sast scan scanner scanning scorecard security semgrep
    shellcheck snyk sonar sonarcloud sonarqube spellcheck spelling style trivy typos yamllint zizmor
""")
_ELSEWHERE = _LOOKS_AT_CODE | _words("""
    assign assignee automerge backport board bundlewatch changelog changeset changesets chart charts cherry
    chromatic cla claude clean cleanup coderabbit commit commitlint commits compress conflict conflicts
    conventional copilot danger dco dependabot dependencies dependency devcontainer devcontainers discord
    dockle docs documentation gemini greet greeting greetings grype imgbot infracost label labeler labeller
    labels licence license licenses lighthouse markdown merge merged notification notifications notify
    opentofu optimise optimize pages please precommit project projects renovate report reports results
    review reviewer reviewers reviews scout semantic size slack stale status storybook sync terraform
    terragrunt title tofu triage vulnerabilities vulnerability welcome
""")
_DOCS = _words("docs documentation pages report reports results")
_TESTS = _words("""
    acceptance benchmark benchmarks cypress e2e integration jest mypy playwright pytest smoke spec specs
    test testing tests typecheck types unit verify
""")
# These use images, where a "test image" may be one that is built.
_TESTS_OF_ALL = _words("acceptance cypress e2e integration playwright smoke")
_NO_TEST = "continuous integration"
_JOINS = _words("manifest manifests merge multiarch push pushes pushing")
_JOINED = _words("64 amd and arch arm create digest digests multi platform platforms tag tags")
_DELIVERS = _words("""
    argocd cd delivery deploy deployment deployments deploys environment helm prod production promote
    rollout staging
""")

# Apps that are CI systems, by the slug in their address. Whoever builds elsewhere and is not among them is
# known by a check's name (`image`), or by `build: {check: …}`.
_CI_SYSTEMS = _words("""
    azure-pipelines cirrus-ci codefresh-io depot drone drone-ci github-actions gitlab google-cloud-build
    harness namespace-cloud prow semaphore-ci travis-ci
""")
# By these an App is known that somebody made for their own server, `acme-jenkins` say, or what it reports.
_CI_PRODUCTS = _words("""
    appveyor bitrise buildkite circleci codebuild codefresh codepipeline concourse jenkins konflux
    semaphoreci teamcity tekton travis woodpecker
""")
_PIPELINES_AS_CODE = ("pipelines", "as", "code")
"""Tekton's, in an App of one's own: https://pipelinesascode.com/docs/install/github_apps/"""
# And Apps whose checks build nothing that a registry would have, though some call it a build.
_NO_CI_SYSTEMS = _words("""
    chromatic-com cla-assistant cloudflare-pages cloudflare-workers-and-pages codacy-production deepsource-io
    fly-io github-advanced-security github-code-scanning graphite-app greptile-apps pkg-pr-new pre-commit-ci
    railway-app read-the-docs socket-security
""")
# The same by one word of an App's: Amplify has an App for each of its regions.
_NO_CI_PRODUCTS = _words("""
    amplify argos chromatic codecov coderabbitai cursor dco dependabot easycla expo firebase gitguardian
    heroku mergify netlify percy readthedocs render renovate snyk sonarcloud sonarqubecloud vercel
""")


class Says(IntEnum):
    """What a name says, the likeliest builder first."""

    IMAGE = 1
    BUILD = 2
    NOTHING = 3
    TESTS = 4
    ELSEWHERE = 5


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in small letters: `build-and-push.yml`, `buildImages`, `Build (web)`."""
    name = name.removesuffix(".yml").removesuffix(".yaml")
    return tuple(word.lower() for word in _WORD_RE.findall(name[:_READ]))


def says(name: str, things: tuple[str, ...] = ()) -> Says:
    """Return what a name says of whether it builds images; words that only call these things say nothing.

    Services are called `reviews`, `docs` or `notifications`.
    """
    words = frozenset(_without(words_of(name), (*things, _NO_TEST)))
    verb, noun, elsewhere = words & _VERBS, words & _NOUNS, words & _ELSEWHERE
    # "Lint, test and build image" does build one; "Scan image" does not, and "Publish test results" neither.
    if verb and noun and not _DOCS & words:
        return Says.IMAGE
    if elsewhere:
        # "Lint, test and build": the code is looked at as well.
        also = "build" in words and elsewhere <= _LOOKS_AT_CODE
        return Says.BUILD if also else Says.ELSEWHERE
    # "Deploy container to production" runs what is there, and so do "Integration tests in Docker".
    if noun and not words & _DELIVERS:
        if verb or not words & _TESTS:
            return Says.IMAGE
        return Says.TESTS if words & _TESTS_OF_ALL else Says.NOTHING
    if verb:
        return Says.BUILD
    return Says.TESTS if words & _TESTS else Says.NOTHING


def joins(name: str, things: tuple[str, ...] = ()) -> bool:
    """Return whether a job only does the rest: it puts platforms' images together, or pushes what was built.

    https://docs.docker.com/build/ci/github-actions/multi-platform/ calls it `merge`.
    """
    job = _MATRIX_RE.sub("", name[:_READ]).rpartition(" / ")[2]
    words = frozenset(_without(words_of(job), things))
    # Alone `publish` is of what the jobs before it built; `publish package` may be of anything.
    return words == {"publish"} or (bool(words & _JOINS) and words <= _JOINS | _JOINED | _VERBS | _NOUNS)


def delivers(name: str, things: tuple[str, ...] = ()) -> bool:
    """Return whether a name speaks only of delivering what was built: what waits for that is no build.

    `Build and deploy` and `CI/CD` do both.
    """
    words = frozenset(_without(words_of(name), things))
    return (
        bool(words & _DELIVERS) and "ci" not in words and says(name, things) not in (Says.IMAGE, Says.BUILD)
    )


def mentions(name: str, things: tuple[str, ...]) -> int:
    """Return of how many words the longest name of one of these things is that a name has in it; 0 of none.

    Word by word: `Build web-shop` mentions `shop` and, which counts more, `web-shop`.
    """
    words = words_of(name)
    return next((len(each) for each in _names_of(things) if _within(each, words)), 0)


def is_ci_system(app: str, check: str = "") -> bool | None:
    """Return whether an App, or what it reports, is of a system that builds; None if that is on no list."""
    words = frozenset(app.split("-"))
    if app in _NO_CI_SYSTEMS or words & _NO_CI_PRODUCTS:
        return False
    called = words_of(check)
    if app in _CI_SYSTEMS or _CI_PRODUCTS & (words | frozenset(called)):
        return True
    return True if _within(_PIPELINES_AS_CODE, called) else None


def _without(words: Sequence[str], things: tuple[str, ...]) -> tuple[str, ...]:
    """Return words without the names of things in them, the longest first."""
    left = tuple(words)
    for thing in _names_of(things):
        at = 0
        while at <= len(left) - len(thing):
            if left[at : at + len(thing)] == thing:
                left = left[:at] + left[at + len(thing) :]
            else:
                at += 1
    return left


@lru_cache(maxsize=256)
def _names_of(things: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the words of each name that means something, the longest first; all jobs ask for the same."""
    return tuple(sorted(filter(_means_something, map(words_of, things)), key=len, reverse=True))


def _means_something(words: Sequence[str]) -> bool:
    """A service that is called `build` or `docker` is in the name of everything."""
    return bool(words) and not set(words) <= _VERBS | _NOUNS | _TESTS | _DELIVERS


def _within(part: Sequence[str], words: Sequence[str]) -> bool:
    most = len(words) - len(part)
    return any(tuple(words[at : at + len(part)]) == tuple(part) for at in range(most + 1))
