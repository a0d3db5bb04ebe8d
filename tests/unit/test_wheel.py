"""The wheel: all that previewbot reads is inside, and an installed one finds it without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(wheel) as archive:
        yield archive


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the commands of an environment with the wheel and the dependencies, but without the repository.

    The dependencies are those that run this test, by way of a path: the links of editable installs among
    them are not followed from there.
    """
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    commands = environment / "bin"
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip(
        "--python",
        str(commands / "python"),
        "install",
        "--quiet",
        "--no-deps",
        "--no-warn-script-location",
        str(wheel),
    )
    return commands


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


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("templates", "previewbot/templates"),
        ("charts/previewbot/crds", "previewbot/crds"),
    ],
)
def test_every_file_that_is_read_at_run_time_is_inside_as_it_is(
    contents: zipfile.ZipFile, here: str, there: str
) -> None:
    expected = files_under(ROOT / here)
    found = {
        name.removeprefix(f"{there}/"): contents.read(name)
        for name in contents.namelist()
        if name.startswith(f"{there}/")
    }

    assert expected
    assert found == expected


def test_every_module_is_inside_and_nothing_but_the_package(contents: zipfile.ZipFile) -> None:
    names = set(contents.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "previewbot").rglob("*.py")}

    assert modules <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"previewbot"}
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)


def test_the_metadata_are_the_projects(contents: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (name,) = [name for name in contents.namelist() if name.endswith(".dist-info/METADATA")]

    metadata = Parser().parsestr(contents.read(name).decode())

    assert (metadata["Name"], metadata["Version"]) == (project["name"], project["version"])
    assert metadata["Requires-Python"] == project["requires-python"]
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(needed) == len(project["dependencies"])


# Installed


def test_the_installed_command_runs_the_installed_package(installed: Path, tmp_path: Path) -> None:
    place = run(installed / "python", "-c", "import previewbot; print(previewbot.__file__)", folder=tmp_path)

    assert Path(place.strip()).is_relative_to(installed.parent)
    assert run(installed / "previewbot", "--help", folder=tmp_path).startswith("usage: previewbot")


def test_the_installed_texts_are_found_and_read(installed: Path, tmp_path: Path) -> None:
    script = (
        "from previewbot.render import Renderer, templates_directory;"
        "print(templates_directory());"
        "print(Renderer().page(None, 'https://previews.example.com/p/1/2'));"
        "print(Renderer().html('unavailable.html'))"
    )

    place, *page = run(installed / "python", "-c", script, folder=tmp_path).splitlines()

    assert Path(place).is_relative_to(installed.parent)
    assert "There is no preview here now" in "".join(page)
    assert "The cluster does not answer right now" in "".join(page)


def test_the_installed_crds_are_found_and_read(installed: Path, tmp_path: Path) -> None:
    script = (
        "from importlib.resources import files;"
        "print(*(file.stem for file in sorted((files('previewbot') / 'crds').glob('*.yaml'))))"
    )

    found = run(installed / "python", "-c", script, folder=tmp_path).split()

    assert found == ["previews"]


def test_the_installed_check_reads_a_configuration(installed: Path, tmp_path: Path) -> None:
    sample = (
        (ROOT / "demo/previewbot_demo/shop/preview.yaml").read_text(encoding="utf-8").replace("PORT", "8470")
    )
    (tmp_path / "preview.yaml").write_text(sample, encoding="utf-8")

    said = run(installed / "previewbot", "check", "preview.yaml", "services/web/app.py", folder=tmp_path)

    assert said == "preview.yaml is valid: web, catalog, pricing\n  web: 1 changed file\n"
