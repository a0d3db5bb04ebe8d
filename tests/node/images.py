"""Images without a container engine: layers of files on the node's base, pushed as a build pushes them."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import platform
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import urllib3

from tests.chart.helm import ROOT
from tests.chart.image import PICTURES, dockerfile, packages
from tests.cluster.build import alone
from tests.node.build import base, postgres
from tests.node.build import chromium as unpacked_chromium
from tests.support.binaries import binary

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_NOT_FILES = ("dev", "proc", "sys")
_SECONDS = 300
# A step of the Dockerfile's, on top of what lies below, with pip beside it: the image has none.
_STEP = """set -eu
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$BELOW,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
mount -t proc proc "$WORK/root/proc"
for part in source packages site/pip; do mkdir -p "$WORK/root/build/$part"; done
mount --bind "$SOURCE" "$WORK/root/build/source"
mount --bind "$PACKAGES" "$WORK/root/build/packages"
mount --bind "$PIP" "$WORK/root/build/site/pip"
printf '#!/bin/sh\\nPYTHONPATH=/build/site exec /usr/bin/python3 "$@"\\n' >"$WORK/root/build/installer"
chmod +x "$WORK/root/build/installer"
chroot "$WORK/root" env -i PATH=/usr/bin:/bin PYTHON=/usr/bin/python3 INSTALLER=/build/installer \\
  PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1 PIP_FIND_LINKS=/build/packages \\
  LOCK="$LOCK" sh /build/source/image/install.sh "$STEP" /opt/previewbot
"""
_INSTALL = "image/install.sh"


@dataclass(frozen=True)
class Layer:
    """A layer: its content, the digest of what it unpacks to, and whether it is compressed."""

    content: bytes
    unpacked: str
    compressed: bool = True

    @property
    def media_type(self) -> str:
        """What it is called in a manifest."""
        return f"{_LAYER}+gzip" if self.compressed else _LAYER


@dataclass(frozen=True)
class Image:
    """Layers, the lowest first, and how they run: Docker's `config`."""

    layers: tuple[Layer, ...]
    config: Mapping[str, Any]


class Registry:
    """Puts images into the registry at an address like `10.200.0.2:5000`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._url = f"http://{address}"
        self._http = urllib3.PoolManager(retries=False, timeout=60.0)

    def push(self, repository: str, tag: str, image: Image) -> None:
        """Push an image; what is there already is not sent again."""
        layers = [self._blob(repository, layer.content, layer.media_type) for layer in image.layers]
        document = {
            "architecture": _architecture(),
            "os": "linux",
            "config": dict(image.config),
            "rootfs": {"type": "layers", "diff_ids": [layer.unpacked for layer in image.layers]},
        }
        config = self._blob(repository, json.dumps(document).encode(), _CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
        path = f"{self._url}/v2/{repository}/manifests/{tag}"
        headers = {"Content-Type": _MANIFEST}
        answer = self._http.request("PUT", path, body=json.dumps(manifest).encode(), headers=headers)
        assert answer.status == 201, answer.data

    def _blob(self, repository: str, content: bytes, media_type: str) -> dict[str, Any]:
        digest = _digest(content)
        blobs = f"{self._url}/v2/{repository}/blobs"
        if self._http.request("HEAD", f"{blobs}/{digest}").status != 200:
            begun = self._http.request("POST", f"{blobs}/uploads/")
            place = urljoin(self._url, begun.headers["Location"])
            place += ("&" if "?" in place else "?") + f"digest={digest}"
            headers = {"Content-Type": "application/octet-stream"}
            answer = self._http.request("PUT", place, body=content, headers=headers)
            assert answer.status == 201, answer.data
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


def files(content: Mapping[str, bytes], *, executable: bool = False) -> Layer:
    """Return a layer of files by path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data in sorted(content.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o755 if executable else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return _layer(packed.getvalue())


@cache
def python() -> Layer:
    """Return the base: this machine's Debian release with its python3; packed once."""
    return _kept(base(), [path.name for path in base().iterdir() if path.name not in _NOT_FILES])


@cache
def database() -> Layer:
    """Return PostgreSQL and what speaks with it, which lies on top of `python()`; packed once."""
    # Only this: where a release has `/lib` as a link, a folder of that name would hide it.
    return _kept(postgres(), ["usr"])


@cache
def chromium() -> Layer:
    """Return Chromium with its fonts, which lies on top of `python()`; packed once."""
    # It goes to the registry beside the node, where compressing it takes longer than it saves.
    return _kept(unpacked_chromium(), ["etc", "usr", "var"], compress=False)


def database_programs() -> str:
    """Return the folder, within an image, with PostgreSQL's programs."""
    [found] = (postgres() / "usr" / "lib" / "postgresql").glob("*/bin")
    return f"/{found.relative_to(postgres())}"


def program(name: str) -> Image:
    """Return an image of one static program."""
    layer = files({name: binary(name).read_bytes()}, executable=True)
    return Image((layer,), {"Entrypoint": [f"/{name}"]})


def previewbot() -> Image:
    """Return what the Dockerfile describes: its steps, its variables, its user."""
    return _described("Dockerfile", "packages", (python(),))


def pictures() -> Image:
    """Return what Dockerfile.pictures describes, but for some of its fonts."""
    return _described(PICTURES, "pictures-packages", (python(), chromium()), compress=False)


def _described(name: str, kept_as: str, below: tuple[Layer, ...], *, compress: bool = True) -> Image:
    """Return what a Dockerfile describes, with what its steps install on top of the layers `below`."""
    variables = [pair for line in dockerfile("ENV", name) for pair in line.split()]
    [entry] = [json.loads(words) for words in dockerfile("ENTRYPOINT", name)]
    with (
        _dependencies(_lock(name), kept_as, compress=compress) as (installed, packages_layer),
        _step("previewbot", (installed, base())) as added,
    ):
        own = _layer(_pack(added, ["opt/previewbot"]))
    config = {
        "Env": [pair.replace("$PATH", "/usr/local/bin:/usr/bin:/bin") for pair in variables],
        "User": dockerfile("USER", name)[-1],
        "WorkingDir": dockerfile("WORKDIR", name)[-1],
        "Entrypoint": entry,
    }
    return Image((*below, packages_layer, own), config)


def _lock(name: str) -> str:
    """Return the lock file that a Dockerfile installs from: `RUN LOCK=… image/install.sh dependencies …`."""
    [step] = [line for line in dockerfile("RUN", name) if f"{_INSTALL} dependencies" in line]
    return step.partition("LOCK=")[2].partition(" ")[0] or "requirements.lock"


@contextmanager
def _dependencies(lock: str, kept_as: str, *, compress: bool) -> Iterator[tuple[Path, Layer]]:
    """Yield the locked packages, installed: where to build on, and the layer; made once for a lock."""
    # What the step depends on besides the base: its outcome is kept, as an engine would keep it.
    made_from = b"".join((ROOT / name).read_bytes() for name in (_INSTALL, lock)) + _STEP.encode()
    made_for = f"{hashlib.sha256(made_from).hexdigest()[:16]}-{int(base().stat().st_mtime)}"
    kept = base().with_name(f"node-{kept_as}-{made_for}.tar")
    with alone():
        if not kept.exists():
            for old in kept.parent.glob(f"node-{kept_as}-*.tar"):
                old.unlink()
            with _step("dependencies", (base(),), lock) as upper:
                _keep(kept, _pack(upper, ["opt/previewbot"]))
        packed = kept.read_bytes()
    with tempfile.TemporaryDirectory(prefix="previewbot-node-image-") as work:
        unpack = ["tar", "--extract", "--same-owner", "--directory", work]
        subprocess.run(unpack, input=packed, check=True)
        yield Path(work), _layer(packed, compress=compress)


def _kept(root: Path, names: Sequence[str], *, compress: bool = True) -> Layer:
    """Return a layer of what a built folder has by these names; packed once for each time it is built."""
    kept = root.with_name(f"{root.name}.tar")
    with alone():
        if not kept.exists() or kept.stat().st_mtime < root.stat().st_mtime:
            _keep(kept, _pack(root, names))
        return _layer(kept.read_bytes(), compress=compress)


def _keep(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, whenever this is ended."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.rename(path)


@contextmanager
def _step(name: str, below: Sequence[Path], lock: str = "") -> Iterator[Path]:
    """Run a step of the image's in a mount namespace of its own; yield what it added to what lies below."""
    pip = importlib.util.find_spec("pip")
    assert pip is not None and pip.origin is not None
    with tempfile.TemporaryDirectory(prefix="previewbot-node-image-") as work:
        for part in ("upper", "work", "root"):
            (Path(work) / part).mkdir()
        places = {"WORK": work, "SOURCE": ROOT, "PACKAGES": packages(), "PIP": Path(pip.origin).parent}
        environment = {place: str(path) for place, path in places.items()}
        environment |= {
            "STEP": name,
            "LOCK": lock,
            "BELOW": ":".join(map(str, below)),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        command = ["unshare", "--mount", "sh", "-c", _STEP]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        yield Path(work) / "upper"


def _pack(root: Path, names: Sequence[str]) -> bytes:
    owned = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name"]
    command = ["tar", "--create", "--directory", str(root), *owned, *names]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _layer(unpacked: bytes, *, compress: bool = True) -> Layer:
    content = gzip.compress(unpacked, compresslevel=1, mtime=0) if compress else unpacked
    return Layer(content, _digest(unpacked), compress)


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
