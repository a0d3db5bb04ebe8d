"""The demo's shop: a repository of five services, as it stands on its default branch.

Each service's directory is a complete image: what the registry serves is a tar of it, and what runs is what
was unpacked from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable

SERVICES = ("web", "catalog", "pricing", "orders", "packing")
"""The services in the order of the configuration file."""

DATABASE = "DATABASE_URL"
"""The variable that leads the service `orders` to its database."""

QUEUES = {"parcels": "PARCELS_QUEUE"}
"""The queues, by the id that mirrord's operator knows them by: the variable that says a queue's name."""

CONTAINER_PORT = 8080
"""The port that each Deployment declares, and the Services' target port."""

_NOT_SOURCE = ("__init__.py", "__pycache__")


def repository_files(port: int, namespace: str = "staging") -> dict[str, bytes]:
    """Return the repository's files by path; `port` is where the demo's registry and shop are reached.

    `namespace` is staging's in the cluster.
    """
    root = resources.files(__package__)
    configuration = root.joinpath("preview.yaml").read_text(encoding="utf-8")
    configuration = configuration.replace("PORT", str(port))
    configuration = configuration.replace("namespace: staging", f"namespace: {namespace}")
    files = {
        "README.md": root.joinpath("README.md").read_bytes(),
        ".github/preview.yaml": configuration.encode(),
    }
    for service in SERVICES:
        files |= {
            f"services/{service}/{name}": data for name, data in _directory(root.joinpath(service)).items()
        }
    return files


def service_files(files: Mapping[str, bytes], service: str) -> dict[str, bytes]:
    """Return what goes into a service's image: the files below its directory, by path within it."""
    prefix = f"services/{service}/"
    return {path.removeprefix(prefix): data for path, data in files.items() if path.startswith(prefix)}


def _directory(directory: Traversable) -> dict[str, bytes]:
    return {
        entry.name: entry.read_bytes()
        for entry in sorted(directory.iterdir(), key=lambda entry: entry.name)
        if entry.is_file() and entry.name not in _NOT_SOURCE
    }
