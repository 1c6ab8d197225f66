#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Figures of collaborative text beside those of Yrs (pycrdt) and Loro, in one run. The peers go into .build/text-peers.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product text-bench
peers=.build/text-peers
[ -x "$peers/bin/python" ] || { python3 -m venv "$peers" && "$peers/bin/pip" -q install pycrdt loro; }
.build/release/text-bench Tests/TextTraces "${1:-}"
"$peers/bin/python" Benchmarks/text-peers.py Tests/TextTraces
