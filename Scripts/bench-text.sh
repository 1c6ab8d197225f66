#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Figures of collaborative text, then their ratios to those of Yrs (pycrdt), Loro and Diamond Types, in one run. The peers go into
# .build/text-peers; where they cannot be installed they are left out.
#   Scripts/bench-text.sh [<row>,<row> …]
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(Scripts/build-release.sh text-bench)
peers=.build/text-peers
python=python3
if [ -x "$peers/bin/python" ] || python3 -m venv "$peers"; then
  python=$peers/bin/python
  "$python" -c 'import loro, pycrdt' 2> /dev/null || "$peers/bin/pip" -q install loro pycrdt || echo 'The peers cannot be installed here.'
fi
mkdir -p build
"$program" Tests/TextTraces "${1:-}" | tee build/text-bench.tsv
"$python" Benchmarks/text-peers.py Tests/TextTraces build/text-bench.tsv
