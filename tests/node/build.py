"""Builds, once, what the tests on a node need: `python -m tests.node.build`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.chart import image
from tests.cluster import build
from tests.cluster.build import ENVIRONMENT, BuildError, Program, alone, build_programs, find_go, run, step
from tests.support.binaries import cache
from tests.support.devtools import browser

HERE = Path(__file__).parent
_RUNTIME = "../node/go/runtime"
_KUBERNETES = ("kubelet", "kube-scheduler", "kube-proxy")
_CONTAINERD = ("containerd", "containerd-shim-runc-v2")
_NETWORK = ("main/ptp", "main/loopback", "ipam/host-local", "meta/portmap")

PROGRAMS = (
    *(Program(name, ".", f"k8s.io/kubernetes/cmd/{name}") for name in _KUBERNETES),
    *(
        Program(
            name, _RUNTIME, f"github.com/containerd/containerd/v2/cmd/{name}", "no_btrfs,no_devmapper,no_zfs"
        )
        for name in _CONTAINERD
    ),
    *(
        Program(path.split("/")[1], _RUNTIME, f"github.com/containernetworking/plugins/plugins/{path}")
        for path in _NETWORK
    ),
    Program("coredns", "../node/go/coredns", "."),
    Program("pause", "../node/go/pause", "."),
)
_LEGO = "github.com/go-acme/lego/v5"
_NFT = (
    *("nftables", "libnftables1", "libnftnl11", "libmnl0", "libjansson4"),
    *("libxtables12", "libedit2", "libbsd0", "libmd0"),
)
_NFT_SCRIPT = """#!/bin/sh
root=$(dirname "$0")/nftables
export LD_LIBRARY_PATH=$(echo "$root"/usr/lib/*-linux-gnu):$(echo "$root"/lib/*-linux-gnu)
exec "$root/usr/sbin/nft" "$@"
"""
_PKG_CONFIG = """#!/bin/sh
case "$*" in *--libs*) echo "-L{lib} -lseccomp" ;; *--cflags*) echo "-I{include}" ;; esac
"""
_DEBOOTSTRAP = """set -eu
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' |
  awk -v r="$release" '$1 == r { print $2; exit }')
[ -n "$mirror" ] || { echo "apt knows no mirror of $release" >&2; exit 1; }
DEBOOTSTRAP_DIR=$1/usr/share/debootstrap "$1/usr/sbin/debootstrap" --variant=minbase \
  --include=python3,ca-certificates "$release" "$2" "$mirror"
for part in cache/apt lib/apt/lists log; do rm -rf "$2/var/$part"/*; done
rm -rf "$2"/usr/share/doc/* "$2"/usr/share/man/* "$2"/usr/share/locale/*
"""


_DATABASE = ("postgresql", "python3-psycopg2")
_NOT_NEEDED = ("perl", "libperl", "libjson", "libllvm", "libz3", "libgdbm", "locales", "libc-l10n", "netbase")
_NOR_THESE = ("ssl-cert", "ucf", "sensible-utils", "postgresql-common", "postgresql-client-common")
"""What PostgreSQL does without: Debian's scripts around it, which are in Perl, and a compiler."""

_BROWSER = tuple(
    word
    for line in image.dockerfile("RUN", image.PICTURES)
    for word in line.partition("--no-install-recommends ")[2].partition(" &&")[0].split()
    if word != "fonts-noto-cjk"
)
"""Chromium and fonts, as the image has them but for fonts-noto-cjk, a quarter of what there is to fetch."""
_NO_SCREEN = (
    *("adwaita", "at-spi2", "dbus", "dmsetup", "gtk-", "hicolor", "libgdk", "libgl1", "libglx", "libgtk"),
    *("libicu", "libllvm", "libpam", "libsystemd-shared", "libxml2", "libz3", "procps", "shared-mime"),
    *("systemd", "x11-", "xdg-", "xkb-"),
)
"""What Chromium does without where it draws on no screen, beginning so."""
# What Debian would do after it has unpacked them; else each browser would look through all fonts first.
_FONT_CACHE = """set -eu
mount --make-rprivate /
mkdir -p "$3/work" "$3/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3/work" "$3/root"
chroot "$3/root" fc-cache
"""


def main() -> int:
    """Build what is missing; return the exit code."""
    missing = cannot()
    if missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    if (code := build.main()) != 0:
        return code
    try:
        with alone():
            build_programs(PROGRAMS)
            _part("runc", _of_module("runtime"), _runc)
            if shutil.which("nft") is None:
                _part("nft", _NFT_SCRIPT, _nft)
            _part("traefik", _of_module("traefik"), _traefik)
            _part("node-base", _DEBOOTSTRAP, _base)
            _part("node-postgres", repr((_DATABASE, _NOT_NEEDED, _NOR_THESE)), _postgres)
            _part("node-chromium", repr((_BROWSER, _NO_SCREEN)) + _FONT_CACHE, _chromium_on_the_base)
            if browser() is None:
                step("chromium (installed)", _chromium)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    image.fetch()
    return 0


def cannot() -> str:
    """Say why no node can run here, in one line; empty if one can."""
    if not sys.platform.startswith("linux"):
        return "a node runs on Linux only: see “Try it on a real cluster” in README.md for other machines"
    if os.geteuid() != 0:
        return "a node needs root: it makes namespaces, cgroups and a network of its own"
    wanted = ("apt-get", "awk", "curl", "dpkg", "gcc", "ip", "openssl", "pgrep", "unshare")
    missing = [name for name in wanted if shutil.which(name) is None]
    return f"a node needs {', '.join(missing)}: install them (Debian or Ubuntu)" if missing else ""


def base() -> Path:
    """Return the folder with this machine's Debian release and its python3, as a container would see it."""
    return cache() / "bin" / "node-base"


def postgres() -> Path:
    """Return the folder with PostgreSQL and Python's client of it, to lie on top of `base`."""
    return cache() / "bin" / "node-postgres"


def chromium() -> Path:
    """Return the folder with Chromium, its libraries and fonts, to lie on top of `base`."""
    return cache() / "bin" / "node-chromium"


def _part(name: str, made_from: str, work: Callable[[Path], None]) -> None:
    """Build what `go build` alone does not, unless it is there and made from the same."""
    stamp = cache() / "bin" / f".{name}.from"
    digest = hashlib.sha256(made_from.encode()).hexdigest()
    if (cache() / "bin" / name).exists() and stamp.exists() and stamp.read_text() == digest:
        return
    step(name, work)
    stamp.write_text(digest)


def _of_module(name: str) -> str:
    files = sorted(path for path in (HERE / "go" / name).rglob("*") if path.is_file())
    return "".join(path.read_text(encoding="utf-8") for path in files)


def _unpack(into: Path, packages: Sequence[str], log: Path) -> None:
    """Unpack Debian packages into a folder; nothing is installed on the machine."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        try:
            run(["apt-get", "download", *packages], Path(work), os.environ, log)
        except BuildError:
            run(["apt-get", "update"], Path(work), os.environ, log)
            run(["apt-get", "download", *packages], Path(work), os.environ, log)
        for package in Path(work).glob("*.deb"):
            run(["dpkg", "-x", str(package), str(into)], Path(work), os.environ, log)


def _runc(log: Path) -> None:
    """Static, and with seccomp, which the profile RuntimeDefault of the pods needs."""
    debian = cache() / "bin" / "libseccomp"
    _unpack(debian, ["libseccomp-dev"], log)
    triplet = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout
    script = debian / "pkg-config"
    usr = debian / "usr"
    script.write_text(_PKG_CONFIG.format(lib=usr / "lib" / triplet.strip(), include=usr / "include"))
    script.chmod(0o755)
    tags = ["-tags", "seccomp,netgo,osusergo", "-ldflags", "-s -w -extldflags -static"]
    environment = os.environ | ENVIRONMENT | {"CGO_ENABLED": "1", "PKG_CONFIG": str(script)}
    target = ["-o", str(cache() / "bin" / "runc"), "github.com/opencontainers/runc"]
    run([find_go(), "build", "-trimpath", *tags, *target], HERE / "go" / "runtime", environment, log)


def _nft(log: Path) -> None:
    """For kube-proxy, which runs it."""
    _unpack(cache() / "bin" / "nftables", _NFT, log)
    script = cache() / "bin" / "nft"
    script.write_text(_NFT_SCRIPT)
    script.chmod(0o755)


def _traefik(log: Path) -> None:
    """In a copy of the module where lego has no DNS provider; go.mod says why."""
    go = find_go()
    module = HERE / "go" / "traefik"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "traefik"
        shutil.copytree(module, work)
        text = (module / "go.mod").read_text(encoding="utf-8")
        version = text.split(f"require {_LEGO} ", 1)[1].split("\n", 1)[0]
        environment = os.environ | ENVIRONMENT
        source = [go, "mod", "download", "-json", f"{_LEGO}@{version}"]
        run([*source], Path(folder), environment, log)
        [line] = [line for line in log.read_text().splitlines() if line.strip().startswith('"Dir"')]
        shutil.copytree(line.split('"')[3], work / "lego", copy_function=shutil.copyfile)
        run(["chmod", "-R", "u+w", str(work / "lego")], work, environment, log)
        shutil.rmtree(work / "lego" / "providers" / "dns")
        shutil.copytree(module / "nodns", work / "lego" / "providers" / "dns")
        command = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(cache() / "bin" / "traefik")]
        run([*command, "github.com/traefik/traefik/v3/cmd/traefik"], work, environment, log)


def _chromium(log: Path) -> None:
    """The one thing that is installed: it has too many parts to be unpacked beside the machine's own."""
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends"]
    fonts = ["fonts-liberation", "fonts-noto-color-emoji"]
    for command in (["apt-get", "update"], [*install, "chromium", *fonts]):
        run(command, cache(), quiet, log)


def _postgres(log: Path) -> None:
    needed = _needed(_DATABASE, log)
    kept = [name for name in needed if not name.startswith(_NOT_NEEDED) and name not in _NOR_THESE]
    with _made(postgres(), kept, log) as made:
        shutil.rmtree(made / "usr" / "share" / "postgresql-common", ignore_errors=True)
        for compiled in (made / "usr" / "lib" / "postgresql").glob("*/lib/bitcode"):
            shutil.rmtree(compiled)


def _chromium_on_the_base(log: Path) -> None:
    kept = [name for name in _needed(_BROWSER, log) if not name.startswith(_NO_SCREEN)]
    with _made(chromium(), kept, log) as made, tempfile.TemporaryDirectory(dir=made.parent) as work:
        for part in ("bin", "lib", "sbin"):
            # Where a release has `/lib` as a link, a folder of that name would hide it.
            if (made / part).is_dir() and (base() / part).is_symlink():
                shutil.copytree(made / part, made / "usr" / part, symlinks=True, dirs_exist_ok=True)
                shutil.rmtree(made / part)
        for layer in (made / "usr" / "lib" / "chromium").glob("libVkLayer_khronos_validation.*"):
            layer.unlink()  # for those who write programs that draw
        command = ["unshare", "--mount", "sh", "-c", _FONT_CACHE, "sh", str(base()), str(made), work]
        run(command, Path(work), os.environ, log)


def _needed(packages: Sequence[str], log: Path) -> list[str]:
    """Return what these Debian packages need besides those that the base has; by name, not by version: as apt
    says."""
    status = f"Dir::State::status={base() / 'var/lib/dpkg/status'}"
    alone = ["-o", status, "-o", "Debug::NoLocking=1"]
    ask = ["apt-get", "install", "--print-uris", "--no-install-recommends", "-qq", *alone, *packages]
    try:
        run(ask, cache(), os.environ, log)
    except BuildError:
        run(["apt-get", "update"], cache(), os.environ, log)
        run(ask, cache(), os.environ, log)
    # 'http://…/libpq5_15.8-1_amd64.deb' libpq5_15.8-1_amd64.deb 205248 SHA256:…
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.split()[1].partition("_")[0] for line in lines if line.startswith("'")]


@contextmanager
def _made(place: Path, packages: Sequence[str], log: Path) -> Iterator[Path]:
    """Unpack packages, without what only people read; they are at `place` once all is done with them."""
    made = place.with_name(f".{place.name}.new")
    _unpack(made, packages, log)
    for part in ("bug", "doc", "icons", "lintian", "locale", "man"):
        shutil.rmtree(made / "usr" / "share" / part, ignore_errors=True)
    yield made
    shutil.rmtree(place, ignore_errors=True)
    made.rename(place)


def _base(log: Path) -> None:
    shutil.rmtree(base(), ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        _unpack(Path(work) / "tool", ["debootstrap"], log)
        made = base().with_name(".node-base.new")
        shutil.rmtree(made, ignore_errors=True)
        run(["sh", "-c", _DEBOOTSTRAP, "sh", f"{work}/tool", str(made)], Path(work), os.environ, log)
        made.rename(base())


if __name__ == "__main__":
    sys.exit(main())
