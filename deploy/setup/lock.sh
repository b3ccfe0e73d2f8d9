#!/bin/sh
# Writes the lock files anew: requirements/dev.lock (all), requirements/runtime.lock (what the
# program needs, in the same versions). Arguments go to pip-compile: --upgrade, for example.
set -eu
cd "$(dirname "$0")/../.."

python=.venv/bin/python
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
  echo "The lock files are made by Python 3.11, the oldest that is supported." >&2
  echo "Make .venv/ with it: rm -r .venv && make setup PYTHON=python3.11" >&2
  exit 1
}

group=$(mktemp)
trap 'rm -f "$group"' EXIT
"$python" - >"$group" <<'PYTHON'
import pathlib
import tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())
print("\n".join(project["dependency-groups"]["dev"]))
PYTHON

# The configuration of this machine's pip stays out: an index of its own would leave hashes
# behind that no other machine can match.
compile() {
  PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS='' PIP_EXTRA_INDEX_URL='' CUSTOM_COMPILE_COMMAND='make lock' \
    "$python" -m piptools compile --quiet --allow-unsafe --generate-hashes --strip-extras \
    --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host "$@"
}
compile "$@" --output-file requirements/dev.lock pyproject.toml - <"$group"
compile --constraint requirements/dev.lock --output-file requirements/runtime.lock pyproject.toml
