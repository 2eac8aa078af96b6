#!/usr/bin/env bash
# Makes the virtual environment and installs the locked dependencies and the project itself into it.
# Usage: scripts/setup.sh VENV-DIRECTORY
# PYTHON names the interpreter to use; by default a suitable one is looked for.
set -euo pipefail

cd "$(dirname "$0")/.."
venv=${1:?usage: scripts/setup.sh VENV-DIRECTORY}

# An interpreter is tried, not just found: version managers leave commands that only print an error.
suitable() {
  "$1" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    if suitable "$PYTHON"; then
      echo "$PYTHON"
      return
    fi
    echo "PYTHON=$PYTHON is no Python 3.11 to 3.14. Name another, or unset it." >&2
    return 1
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if suitable "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "Perdure needs Python 3.11, 3.12, 3.13 or 3.14; none was found on PATH." >&2
  echo "Install one (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.13)," >&2
  echo "or say where it is: make setup PYTHON=/path/to/python3" >&2
  return 1
}

# Debian ships Python without ensurepip; the package that brings it is named after the version.
ensure_pip_installer() {
  local python=$1 package
  if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    return
  fi
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $package, without which Python can't make virtual environments"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    return
  fi
  echo "This Python ($python) can't make virtual environments: ensurepip is missing." >&2
  echo "Install it (Debian, Ubuntu: sudo apt-get install $package) and try again." >&2
  return 1
}

# A virtual environment that was copied, or whose interpreter is gone, is of no use.
usable() {
  [ -x "$venv/bin/python" ] &&
    "$venv/bin/python" -c 'import os, sys; sys.exit(not os.path.samefile(sys.prefix, sys.argv[1]))' \
      "$venv" >/dev/null 2>&1 &&
    grep -qsF -e "$(cd "$venv" && pwd)/bin/python" -e "$(cd "$venv" && pwd -P)/bin/python" "$venv/bin/pip" &&
    suitable "$venv/bin/python"
}

install() {
  "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input \
    --root-user-action=ignore --no-deps "$@"
}

if ! usable; then
  python=$(find_python)
  ensure_pip_installer "$python"
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi
echo "Installing the locked dependencies into $venv with $("$venv/bin/python" --version)"
# The pip that comes with Python may be years old, and takes more than twice as long.
install "$(grep '^pip==' requirements.lock)"
install --requirement requirements.lock
# Without isolation the build uses the locked hatchling instead of fetching another.
install --no-build-isolation --editable .
# Compiled once here, as pip does with the rest: where Python may not write bytecode, each start would do it again.
"$venv/bin/python" -m compileall -q src
