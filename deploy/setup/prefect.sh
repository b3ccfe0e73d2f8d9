#!/bin/sh
# Makes .venv-prefect/ with Prefect and all that it needs, for make bench-prefect; with the Python
# of .venv/, which has to be there.
set -eu
cd "$(dirname "$0")/../.."

echo "Installing what requirements/prefect.lock lists into .venv-prefect/ ..." >&2
.venv/bin/python -m venv --clear .venv-prefect
.venv-prefect/bin/python -m pip -qq --disable-pip-version-check --no-input \
  install --no-deps --require-hashes --requirement requirements/prefect.lock
