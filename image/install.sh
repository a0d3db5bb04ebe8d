#!/bin/sh
# Installs previewbot into a directory of its own: what the image consists of besides Python.
#   image/install.sh dependencies PREFIX   a virtual environment with exactly what requirements.lock pins, by hash
#   image/install.sh previewbot PREFIX     this working copy into it, as a wheel
#   image/install.sh wheel DIRECTORY       only that wheel, to look at: the same sources give the same bytes
# The Dockerfile runs the first two, and so do the tests. PYTHON is the interpreter it is for (python3), INSTALLER one
# with pip (the same); LOCK another lock file than requirements.lock, for an image with an extra. pip's own variables count, such as PIP_INDEX_URL, or PIP_NO_INDEX and PIP_FIND_LINKS.
set -eu

usage="usage: image/install.sh dependencies|previewbot PREFIX, or wheel DIRECTORY"
step=${1:?$usage} place=${2:?$usage}
source=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
# When each file in the wheel was changed. Not the last commit's time: what is sent to the engine has no history, and
# the image's wheel must be the one that anybody can build from the sources. It is what hatchling takes for itself.
export SOURCE_DATE_EPOCH=1580601600

install_into() { # DIRECTORY OPTION...: pip stays outside, so that the image has none
  directory=$1
  shift
  "${INSTALLER:-$python}" -m pip --python "$directory/bin/python" --quiet --disable-pip-version-check --no-input \
    install --no-cache-dir --only-binary :all: --root-user-action ignore "$@"
}

build_wheel() { # DIRECTORY: with the backend that requirements-build.lock pins, by hash
  "$python" -m venv --without-pip "$work/build"
  install_into "$work/build" --require-hashes -r "$source/requirements-build.lock"
  (cd "$source" && "$work/build/bin/python" -m hatchling build --target wheel --directory "$1" >/dev/null)
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $step in
  dependencies)
    "$python" -m venv --without-pip "$place"
    install_into "$place" --require-hashes -r "$source/${LOCK:-requirements.lock}"
    ;;
  previewbot)
    build_wheel "$work/wheel"
    install_into "$place" --no-index --no-deps "$work"/wheel/previewbot-*.whl
    ;;
  wheel)
    mkdir -p "$place"
    build_wheel "$(cd "$place" && pwd)"
    ;;
  *)
    echo "$usage" >&2
    exit 2
    ;;
esac
