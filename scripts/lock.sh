#!/usr/bin/env bash
# Writes the lock files from pyproject.toml: one set of versions for every supported Python and platform.
# requirements.lock: everything (make setup); requirements-runtime.lock: the product alone (Dockerfile).
# UPGRADE=1 takes newer versions, else what is locked stays as far as pyproject.toml allows.
# No index is written down, so that each machine installs from its own.
set -euo pipefail

cd "$(dirname "$0")/.."
uv=${1:?usage: scripts/lock.sh UV-COMMAND}
upgrade=()
if [ -n "${UPGRADE:-}" ]; then
  upgrade=(--upgrade)
fi

compile() {
  local lock=$1
  shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
    --no-header --no-annotate --output-file "$lock" "$@" pyproject.toml
}

compile requirements.lock ${upgrade[@]+"${upgrade[@]}"} --all-extras --group dev
compile requirements-runtime.lock --constraints requirements.lock --upgrade
