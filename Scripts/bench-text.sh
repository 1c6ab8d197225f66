#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Figures of collaborative text, then their ratios to those of Yrs (pycrdt), Loro and Diamond Types, then those of WebAssembly beside
# Yjs, in one run. The peers go into .build/text-peers; where they cannot be installed they are left out.
#   Scripts/bench-text.sh [<row>,<row> …]
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(Scripts/build-release.sh text-bench)
peers=.build/text-peers
python=python3
if [ -x "$peers/bin/python" ] || python3 -m venv "$peers"; then
  python=$peers/bin/python
  "$python" -c 'import loro, pycrdt' 2> /dev/null || "$peers/bin/pip" -q install loro pycrdt || echo 'Loro and Yrs cannot be installed here.'
fi
# Yjs from npm, or Debian's package node-yjs where that is installed.
export NODE_PATH=$PWD/$peers/node_modules:/usr/share/nodejs
node -e 'require("yjs")' 2> /dev/null || timeout 60 npm install --silent --prefix "$peers" yjs || echo 'Yjs cannot be installed here.'
mkdir -p build/text-replays
"$program" Tests/TextTraces "${1:-}" | tee build/text-bench.tsv
"$python" Benchmarks/text-peers.py Tests/TextTraces build/text-bench.tsv
echo
Scripts/build-wasm.sh text-engine
"$program" replays Tests/TextTraces build/text-replays
node Benchmarks/text-wasm.mjs build/sim/text.wasm Tests/TextTraces build/text-replays build/text-bench.tsv
