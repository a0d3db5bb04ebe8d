"""The wheels: all that is read is inside, and installed ones find it without the repository.

previewbot's has no stand-in for anything; those are the demo's, which has a wheel of its own.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 110.0


def pip(*arguments: str) -> None:
    """Run pip without an index: it must do with what is here."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", *arguments],
        env={**os.environ, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr


def built(project: Path, folder: Path) -> Path:
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(project))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def contents(wheel: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(wheel) as archive:
        yield archive


@pytest.fixture(scope="module")
def demo_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT / "demo", tmp_path_factory.mktemp("demo-wheel"))


@pytest.fixture(scope="module")
def demo_contents(demo_wheel: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(demo_wheel) as archive:
        yield archive


def environment_with(folder: Path, *wheels: Path) -> Path:
    """Return the commands of an environment with the wheels and the dependencies, but without the repository.

    The dependencies are those that run this test, by way of links, without what the repository itself has
    installed among them.
    """
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for dependency in Path(sysconfig.get_path("purelib")).iterdir():
        if not dependency.name.lstrip("_").startswith("previewbot"):
            (site / dependency.name).symlink_to(dependency)
    commands = folder / "bin"
    install = ["install", "--quiet", "--no-deps", "--no-warn-script-location"]
    pip("--python", str(commands / "python"), *install, *map(str, wheels))
    return commands


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(tmp_path_factory.mktemp("environment"), wheel)


@pytest.fixture(scope="module")
def installed_with_demo(wheel: Path, demo_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(tmp_path_factory.mktemp("environment-with-demo"), wheel, demo_wheel)


def run(command: Path, *arguments: str, folder: Path) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PREVIEWBOT"))}
    done = subprocess.run(
        [str(command), *arguments], cwd=folder, env=own, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def files_under(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


# Inside


def files_in(archive: zipfile.ZipFile, folder: str) -> dict[str, bytes]:
    return {
        name.removeprefix(f"{folder}/"): archive.read(name)
        for name in archive.namelist()
        if name.startswith(f"{folder}/")
    }


@pytest.mark.parametrize(
    ("here", "there"),
    [("templates", "previewbot/templates"), ("charts/previewbot/crds", "previewbot/crds")],
)
def test_every_file_that_is_read_at_run_time_is_inside_as_it_is(
    contents: zipfile.ZipFile, here: str, there: str
) -> None:
    expected = files_under(ROOT / here)

    assert expected
    assert files_in(contents, there) == expected


def test_every_module_is_inside_and_nothing_but_the_package(contents: zipfile.ZipFile) -> None:
    names = set(contents.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "previewbot").rglob("*.py")}

    assert modules <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"previewbot"}
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)


def test_nothing_fake_is_inside(contents: zipfile.ZipFile) -> None:
    """Production code has no class named after a fake, a stand-in or the demo, and no file either."""
    fake = re.compile(rb"^\s*class \w*(Fake|StandIn|Demo|InMemory)\w*", re.MULTILINE)
    modules = [name for name in contents.namelist() if name.endswith(".py")]

    assert [name for name in contents.namelist() if "demo" in name] == []
    assert [name for name in modules if fake.search(contents.read(name))] == []


def test_the_demos_wheel_has_its_package_with_pages_schemas_and_the_shop(
    demo_contents: zipfile.ZipFile,
) -> None:
    found = files_in(demo_contents, "previewbot_demo")

    assert found == files_under(ROOT / "demo/previewbot_demo")
    assert {"pages/pull.html", "schemas/previewsessions.yaml", "shop/web/page.html"} <= found.keys()
    assert {name.split("/")[0].split("-")[0] for name in demo_contents.namelist()} == {"previewbot_demo"}


def project(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def metadata_of(archive: zipfile.ZipFile) -> Message:
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(archive.read(name).decode())


def test_the_metadata_are_the_projects(contents: zipfile.ZipFile) -> None:
    ours = project(ROOT)

    metadata = metadata_of(contents)

    assert (metadata["Name"], metadata["Version"]) == (ours["name"], ours["version"])
    assert metadata["Requires-Python"] == ours["requires-python"]
    assert metadata["License-Expression"] == ours["license"] == "Apache-2.0"
    [licence] = [name for name in contents.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
    assert contents.read(licence) == (ROOT / "LICENSE").read_bytes()
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(needed) == len(ours["dependencies"])


def test_the_demos_wheel_needs_the_previewbot_of_the_same_version(demo_contents: zipfile.ZipFile) -> None:
    version = project(ROOT)["version"]

    metadata = metadata_of(demo_contents)

    assert (metadata["Name"], metadata["Version"]) == ("previewbot-demo", version)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"previewbot=={version}" in metadata.get_all("Requires-Dist", [])


# Locked


def locked(path: str) -> dict[str, str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==([^ ;]+)", text, re.MULTILINE))


OF_EXTRAS = (ROOT / "previewbot/mcp", ROOT / "previewbot/pictures")


def imported_by(package: Path) -> set[str]:
    """Return the top-level names that a package's modules import, but for Python's own and ours."""
    paths = [
        path
        for path in package.rglob("*.py")
        if package in OF_EXTRAS or not any(extra in path.parents for extra in OF_EXTRAS)
    ]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    tops = {name.partition(".")[0] for name in names}
    return tops - sys.stdlib_module_names - {"previewbot", "previewbot_demo"}


@pytest.mark.parametrize(
    ("package", "lock"),
    [
        ("previewbot", "requirements.lock"),
        ("previewbot/mcp", "requirements-mcp.lock"),
        ("previewbot/pictures", "requirements-pictures.lock"),
        ("demo/previewbot_demo", "demo/requirements.lock"),
    ],
)
def test_all_that_is_imported_is_locked(package: str, lock: str) -> None:
    packages = packages_distributions()
    needed = {
        # Playwright is in no environment of development.
        name: {each.lower().replace("_", "-") for each in packages.get(name, [name])}
        for name in imported_by(ROOT / package)
    }

    pinned = locked(lock).keys()

    assert {name: each for name, each in needed.items() if not each & pinned} == {}


def test_what_only_the_demo_needs_is_locked_apart_and_the_rest_alike() -> None:
    ours, demos = locked("requirements.lock"), locked("demo/requirements.lock")

    assert demos.keys() - ours.keys() == {"graphql-core"}
    assert {name: demos[name] for name in demos.keys() & ours.keys()}.items() <= ours.items()


@pytest.mark.parametrize(
    ("lock", "name"), [("requirements-mcp.lock", "mcp"), ("requirements-pictures.lock", "playwright")]
)
def test_an_extra_has_all_that_the_rest_has_in_the_same_versions(lock: str, name: str) -> None:
    ours, extra = locked("requirements.lock"), locked(lock)

    assert ours.items() <= extra.items()
    assert name in extra.keys() - ours.keys()


# Installed


def test_the_installed_command_runs_the_installed_package(installed: Path, tmp_path: Path) -> None:
    place = run(installed / "python", "-c", "import previewbot; print(previewbot.__file__)", folder=tmp_path)

    assert Path(place.strip()).is_relative_to(installed.parent)
    assert run(installed / "previewbot", "--help", folder=tmp_path).startswith("usage: previewbot")


def test_the_installed_texts_are_found_and_read(installed: Path, tmp_path: Path) -> None:
    script = (
        "from previewbot.text.render import Renderer, templates_directory;"
        "print(templates_directory());"
        "print(Renderer().no_preview());"
        "print(Renderer().html('unavailable.html', who='The cluster'))"
    )

    place, *page = run(installed / "python", "-c", script, folder=tmp_path).splitlines()

    assert Path(place).is_relative_to(installed.parent)
    assert "There is no preview here now" in "".join(page)
    assert "The cluster does not answer right now" in "".join(page)


def test_the_installed_table_of_agents_is_found_and_read(installed: Path, tmp_path: Path) -> None:
    script = "from previewbot.config.agents import built_in; print(*built_in().by_key)"

    keys = run(installed / "python", "-c", script, folder=tmp_path).split()

    assert {"copilot", "claude", "codex", "cursor", "devin", "jules"} <= set(keys)


def test_the_installed_crds_are_found_and_read(installed_with_demo: Path, tmp_path: Path) -> None:
    script = (
        "from previewbot_demo.kube.resources import resources;"
        "print(*(resource.plural for resource in resources() if resource.schema is not None))"
    )

    plurals = run(installed_with_demo / "python", "-c", script, folder=tmp_path).split()

    theirs = ["branchdatabases", "gatewayclasses", "gateways", "httproutes"]
    assert sorted(plurals) == [*theirs, "previewrequests", "previews", "previewsessions"]


def test_the_installed_demo_is_found_by_the_installed_command(
    installed_with_demo: Path, tmp_path: Path
) -> None:
    place = "import previewbot_demo; print(previewbot_demo.__file__)"

    shown = run(installed_with_demo / "python", "-c", place, folder=tmp_path)
    help_text = run(installed_with_demo / "previewbot", "demo", "--help", folder=tmp_path)

    assert Path(shown.strip()).is_relative_to(installed_with_demo.parent)
    assert "The whole thing on this machine" in help_text


def test_without_the_demo_the_installed_command_says_in_one_sentence_how_to_get_it(
    installed: Path, tmp_path: Path
) -> None:
    command = [str(installed / "previewbot"), "demo", "--check", "--port", "0"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "`previewbot demo` is a package of its own, previewbot-demo, which is not installed here: run "
        "`make demo` in a clone of previewbot, or install it from there with `pip install ./demo`.\n"
    )


def test_the_installed_check_reads_a_configuration(installed: Path, tmp_path: Path) -> None:
    sample = (
        (ROOT / "demo/previewbot_demo/shop/preview.yaml").read_text(encoding="utf-8").replace("PORT", "8470")
    )
    (tmp_path / "preview.yaml").write_text(sample, encoding="utf-8")

    said = run(installed / "previewbot", "check", "preview.yaml", "services/web/app.py", folder=tmp_path)

    assert said == "preview.yaml is valid: web, catalog, pricing, orders, packing\n  web: 1 changed file\n"
