#!/usr/bin/env bash
# Installs what `previewbot wait` needs: the few packages that requirements.lock pins by hash. previewbot itself is run
# from where the runner has put this Action, so its version is the one that the workflow names.
set -euo pipefail
. "$GITHUB_ACTION_PATH/place.sh"

# A second step of the same job finds all of it.
if [ -e "$place/installed" ]; then exit 0; fi

if [ "${RUNNER_OS:-}" = Windows ]; then fail "it runs on Linux and macOS"; fi
python=$(command -v python3 || command -v python) || fail "there is no Python: put actions/setup-python before this step"
# `-I`: what the pull request has in its folder (a venv.py, say) is not imported in the place of Python's own.
"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "it needs Python 3.11 or newer, and this is $("$python" --version): put actions/setup-python before this step"
"$python" -I -m venv "$place" ||
  fail "$python makes no environment (Debian's needs the package python3-venv): put actions/setup-python before this step"
"$place/bin/python" -I -m pip --quiet --disable-pip-version-check --no-input install --only-binary :all: \
  --require-hashes --requirement "$GITHUB_ACTION_PATH/requirements.lock"
# Read by Python itself, since `-I` keeps it from PYTHONPATH.
"$place/bin/python" -I - "$(cd "$GITHUB_ACTION_PATH/.." && pwd)" <<'PYTHON'
import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "previewbot.pth").write_text(sys.argv[1] + "\n", encoding="utf-8")
PYTHON
touch "$place/installed"
