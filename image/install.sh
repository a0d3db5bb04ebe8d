#!/bin/sh
# Installs previewbot into a directory of its own: what the image consists of besides Python.
#   image/install.sh dependencies PREFIX   a virtual environment with exactly what requirements.lock pins, by hash
#   image/install.sh previewbot PREFIX     this working copy into it, as a wheel
# The Dockerfile runs both, and so do the tests. PYTHON is the interpreter it is for (python3), INSTALLER one with pip
# (the same). pip's own variables count, such as PIP_INDEX_URL, or PIP_NO_INDEX and PIP_FIND_LINKS.
set -eu

usage="usage: image/install.sh dependencies|previewbot PREFIX"
step=${1:?$usage} prefix=${2:?$usage}
source=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}

install_into() { # DIRECTORY OPTION...: pip stays outside, so that the image has none
  directory=$1
  shift
  "${INSTALLER:-$python}" -m pip --python "$directory/bin/python" --quiet --disable-pip-version-check --no-input \
    install --no-cache-dir --only-binary :all: --root-user-action ignore "$@"
}

case $step in
  dependencies)
    "$python" -m venv --without-pip "$prefix"
    install_into "$prefix" --require-hashes -r "$source/requirements.lock"
    ;;
  previewbot)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$python" -m venv --without-pip "$work/build"
    install_into "$work/build" --require-hashes -r "$source/requirements-build.lock"
    (cd "$source" && "$work/build/bin/python" -m hatchling build --target wheel --directory "$work/wheel" >/dev/null)
    install_into "$prefix" --no-index --no-deps "$work"/wheel/previewbot-*.whl
    ;;
  *)
    echo "$usage" >&2
    exit 2
    ;;
esac
