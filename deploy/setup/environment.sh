#!/bin/sh
# Makes .venv/ with everything in the lock file and Pointsman itself, editable.
# Needs a Python from 3.11 on; installs Debian's python3-venv where it is missing and may be.
set -eu
cd "$(dirname "$0")/../.."

venv=.venv
python=

say() { echo "$*" >&2; }

fail() {
  say "$1"
  say "$2"
  exit 1
}

find_python() {
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
      return
    fi
  done
  fail "No Python from 3.11 on was found on PATH." \
    "Install one (on Debian 12 and later: apt-get install python3), or name it: make setup PYTHON=..."
}

can_make_venv() { "$python" -c 'import venv, ensurepip' 2>/dev/null; }

install_venv() {
  version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
  package=python$version-venv
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  else
    fail "$python can make no virtual environment, and this user may not install what it lacks." \
      "Have it installed (on Debian: apt-get install python3-venv) and call make again."
  fi
  command -v apt-get >/dev/null || fail "$python can make no virtual environment." \
    "Install its modules venv and ensurepip and call make again."
  say "Installing $package ..."
  said=$(mktemp)
  {
    $as_root apt-get -o DPkg::Lock::Timeout=120 update
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
      install -y --no-install-recommends "$package"
  } >"$said" 2>&1 </dev/null || tail -n 5 "$said" >&2
  rm -f "$said"
  can_make_venv || fail "$python can still make no virtual environment." \
    "Have its modules venv and ensurepip installed and call make again."
}

find_python
can_make_venv || install_venv
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null ||
  "$python" -m venv --clear "$venv"

pip() { "$venv/bin/python" -m pip -qq --disable-pip-version-check --no-input "$@"; }
say "Installing what requirements/dev.lock lists into $venv/ ..."
# The lock file lists all. Without --no-deps, pip before 23.3 takes newer versions of what is asked for
# with extras (coverage[toml]) than the lock file has, and fails for want of their hashes.
pip install --no-deps --require-hashes --requirement requirements/dev.lock
pip install --no-deps --no-build-isolation --editable .
