#!/bin/sh
# Writes the lock files anew: requirements/dev.lock (all), and in the same versions
# requirements/runtime.lock (what the program needs) and requirements/build.lock (what it is built
# with, in the image); and requirements/prefect.lock, which has nothing to do with these (what
# make bench-prefect compares with). Arguments go to pip-compile: --upgrade, for example.
set -eu
cd "$(dirname "$0")/../.."

python=.venv/bin/python
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
  echo "The lock files are made by Python 3.11, the oldest that is supported." >&2
  echo "Make .venv/ with it: rm -r .venv && make setup PYTHON=python3.11" >&2
  exit 1
}

groups=$(mktemp -d)
trap 'rm -r "$groups"' EXIT
"$python" - "$groups" <<'PYTHON'
import pathlib
import sys
import tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())
for name, group in project["dependency-groups"].items():
    pathlib.Path(sys.argv[1], name).write_text("\n".join(group))
PYTHON

# The configuration of this machine's pip stays out: an index of its own would leave hashes
# behind that no other machine can match.
compile() {
  PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS='' PIP_EXTRA_INDEX_URL='' CUSTOM_COMPILE_COMMAND='make lock' \
    "$python" -m piptools compile --quiet --allow-unsafe --generate-hashes --strip-extras \
    --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host "$@"
}
compile "$@" --output-file requirements/dev.lock pyproject.toml - <"$groups/dev"
compile --constraint requirements/dev.lock --output-file requirements/runtime.lock pyproject.toml
compile --constraint requirements/dev.lock --build-deps-for wheel --only-build-deps \
  --output-file requirements/build.lock pyproject.toml
compile "$@" --output-file requirements/prefect.lock - <"$groups/prefect"
