"""What the name of a workflow, a job or a check says of whether it builds images. Pure.

Names are people's. So they only put runs into an order, in which the likelier explain first; none of them
makes a build of what GitHub shows to be none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

_WORD_RE = re.compile(r"[eE]2[eE]|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
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
_ELSEWHERE = _words("""
    assign assignee audit automerge backport board bundlewatch changelog cherry chromatic cla claude
    clean cleanup codecov codeql coderabbit commitlint conflict conflicts copilot coverage coveralls dco
    dependabot dependencies dependency discord docs documentation eslint format formatting gemini
    gitleaks greet greeting greetings grype hadolint label labeler labeller labels licence license
    licenses lighthouse lint linter linting markdown merge merged notification notifications notify
    pages prettier project projects renovate report reports results review reviewer reviewers reviews
    ruff sast scan scanner scanning scorecard security semantic semgrep size slack snyk sonar sonarcloud
    sonarqube spellcheck spelling stale status storybook style sync title triage trivy typos
    vulnerabilities vulnerability welcome
""")
_TESTS = _words("""
    acceptance benchmark benchmarks cypress e2e integration jest mypy playwright pytest smoke spec specs
    test testing tests typecheck types unit verify
""")
_DELIVERS = _words("""
    argocd cd delivery deploy deployment deployments deploys environment helm prod production promote
    rollout staging terraform
""")

# Apps that are CI systems, by the slug in their address. Whoever builds elsewhere and is not among them is
# known by a check's name (`image`), or by `build: {check: …}`.
_CI_SYSTEMS = _words("""
    appveyor aws-codebuild azure-pipelines bitrise buildkite circleci circleci-checks cirrus-ci
    codefresh codefresh-io depot drone github-actions gitlab google-cloud-build harness jenkins
    jenkins-ci namespace-cloud prow semaphore-ci semaphoreci teamcity tekton travis-ci woodpecker
""")
# And Apps whose checks build nothing that a registry would have, though some call it a build.
_NO_CI_SYSTEMS = _words("""
    amplify aws-amplify-us-east-1 chromatic-com cla-assistant cloudflare-pages
    cloudflare-workers-and-pages codacy-production codecov coderabbitai dco deepsource-io dependabot
    easycla expo fly-io gitguardian github-advanced-security github-code-scanning heroku mergify netlify
    percy railway-app read-the-docs readthedocs render renovate snyk-io socket-security sonarcloud
    sonarqubecloud vercel
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


def says(name: str) -> Says:
    """Return what a name says of whether it builds images."""
    words = frozenset(words_of(name))
    verb, noun, elsewhere = words & _VERBS, words & _NOUNS, words & _ELSEWHERE
    # "Lint, test and build image" does build one; "Scan image" does not, and "Publish test results" neither.
    if verb and noun and not {"report", "reports", "results", "docs", "documentation", "pages"} & words:
        return Says.IMAGE
    if elsewhere:
        return Says.ELSEWHERE
    # "Deploy container to production" runs what is there.
    if noun and not words & _DELIVERS:
        return Says.IMAGE
    if verb:
        return Says.BUILD
    return Says.TESTS if words & _TESTS else Says.NOTHING


def delivers(name: str) -> bool:
    """Return whether a name speaks of delivering what was built: what it waits for is no build's approval."""
    return bool(frozenset(words_of(name)) & _DELIVERS) and says(name) is not Says.IMAGE


def mentions(name: str, things: Iterable[str]) -> int:
    """Return of how many words the longest name of one of these things is that a name has in it; 0 of none.

    Word by word: `Build web-shop` mentions `shop` and, which counts more, `web-shop`.
    """
    words = words_of(name)
    found = [each for each in map(words_of, things) if _means_something(each) and _within(each, words)]
    return max(map(len, found), default=0)


def is_ci_system(app: str) -> bool | None:
    """Return whether an App is a system that builds; None of one that is on no list."""
    if app in _CI_SYSTEMS:
        return True
    return False if app in _NO_CI_SYSTEMS else None


def _means_something(words: Sequence[str]) -> bool:
    """A service that is called `build` or `docker` is in the name of everything."""
    return bool(words) and not set(words) <= _VERBS | _NOUNS | _TESTS | _DELIVERS


def _within(part: Sequence[str], words: Sequence[str]) -> bool:
    most = len(words) - len(part)
    return any(tuple(words[at : at + len(part)]) == tuple(part) for at in range(most + 1))
