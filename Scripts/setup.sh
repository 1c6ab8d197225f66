#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on a Debian 12 with Swift 6.3, and only that; run again, it does nothing.
#
#   Scripts/setup.sh            everything `make test` and `make bench` need
#   Scripts/setup.sh demo       what `make demo` needs: no browser to drive, no Python
#
# Without root it prints what to install and exits with 1. Browsers come from Debian, never from a download.
set -euo pipefail
cd "$(dirname "$0")/.."

playwright=1.58.0
swift_wanted=6.3
node_wanted=18
venv=.build/venv

need=()
# want <Debian package> <question that succeeds when it is there already>
want() {
  local package=$1
  shift
  if ! "$@" >/dev/null 2>&1; then need+=("$package"); fi
}
is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
has_header() { echo "#include <$1>" | clang -E -x c - ; }
has_recent_node() { [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$node_wanted" ]; }
has_venv() { python3 -c 'import ensurepip, venv'; }
has_chromium() { [ -n "${CHROMIUM:-}" ] || is_installed chromium || command -v chromium; }

if ! command -v swift >/dev/null; then
  echo "Swift $swift_wanted or newer is needed: see https://www.swift.org/install" >&2
  exit 1
fi
want git command -v git
want ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
want libsqlite3-dev has_header sqlite3.h
want zlib1g-dev has_header zlib.h
want binaryen command -v wasm-opt
want zopfli command -v zopfli
want nodejs has_recent_node
if [ "${1:-}" != demo ]; then
  want python3 command -v python3
  want python3-venv has_venv
  want procps command -v ps
  want fonts-liberation is_installed fonts-liberation
  want chromium has_chromium
fi

if [ ${#need[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing: ${need[*]}" >&2
    echo "On Debian 12, as root: apt-get update && apt-get install -y --no-install-recommends ${need[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${need[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi

if ! has_recent_node 2>/dev/null; then
  echo "Node.js $node_wanted or newer is needed, not $(node --version 2>/dev/null || echo none)" >&2
  exit 1
fi

if [ "${1:-}" != demo ] && ! "$venv/bin/python" -c "import playwright._repo_version as v; assert v.version == '$playwright'" 2>/dev/null; then
  echo "setup: playwright $playwright in $venv"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "playwright==$playwright"
fi
echo "setup: everything is here"
