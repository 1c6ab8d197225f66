#!/usr/bin/env bash
# Builds the browser engines as Embedded Swift for WebAssembly into build/web and prints their sizes.
# Usage: Scripts/build-wasm.sh [product …]   (default: both engines, and text-module, which is text.wasm)
# sim-engine, the simulator, goes to build/sim as it is: no browser loads it, so its size does not matter. text-engine goes there too.
set -euo pipefail
cd "$(dirname "$0")/.."

triple=wasm32-unknown-none-wasm
scratch=${ALOFT_WASM_SCRATCH:-.build/wasm}
mkdir -p "$scratch" build/web

# The linker's own run of wasm-opt would put every function that has one caller into that caller (see below).
# No Unicode tables are linked: a use of String that needs them fails here, on purpose (see Values/Text.swift).
cat > "$scratch/toolset.json" <<JSON
{ "schemaVersion": "1.0",
  "swiftCompiler": { "extraCLIOptions": ["-enable-experimental-feature", "Embedded", "-enable-experimental-feature", "Extern",
    "-wmo", "-Osize", "-Xfrontend", "-disable-stack-protector", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "--no-wasm-opt"] },
  "cCompiler": { "extraCLIOptions": ["-fno-stack-protector", "-mbulk-memory", "-O2", "-ffreestanding"] },
  "linker": { "extraCLIOptions": ["--no-entry", "--gc-sections", "--strip-all", "--global-base=1024", "-z", "stack-size=1048576"] } }
JSON

products=("$@")
[ ${#products[@]} -gt 0 ] || products=(aloft-engine field-visits-engine text-module)
for product in "${products[@]}"; do
  swift build -c release --triple "$triple" --toolset "$scratch/toolset.json" --scratch-path "$scratch" --product "$product"
  if [ "$product" = sim-engine ]; then
    mkdir -p build/sim
    cp "$scratch/release/$product.wasm" build/sim/
    continue
  fi
  folder=build/web
  case $product in
    aloft-engine) name=aloft ;;
    text-module) name=text ;;
    text-engine) name=text folder=build/sim ;;
    *) name=${product%-engine} ;;
  esac
  mkdir -p "$folder"
  # Binaryen takes another tenth off and makes calls cheaper; the features are those the toolchain already emits. Nothing lies below
  # 1024 (--global-base above), so an address and a small offset need no care for overflow.
  # A function with one caller stays one when it is large: else nearly the whole engine becomes one function of 50 KB, which a browser
  # compiles on the main thread before the first event, and once more, for a tenth of a second, while it reads the pages. It packs better too.
  # Text is small and merges are all work, so there small functions go into their callers: a tenth less time for a hundredth more size.
  passes=(--flatten --rereloop -Oz -Oz)
  if [ "$name" = text ]; then passes=(-O3 --flexible-inline-max-function-size=12); fi
  wasm-opt --one-caller-inline-max-function-size=20 --low-memory-unused "${passes[@]}" --converge \
    --enable-bulk-memory --enable-sign-ext --enable-mutable-globals --enable-nontrapping-float-to-int \
    "$scratch/release/$product.wasm" -o "$folder/$name.wasm"
  chmod 644 "$folder/$name.wasm"
  # The server sends this file as it is. Zopfli finds the shortest way to say it: a twentieth less than gzip -9.
  zopfli "$folder/$name.wasm"
  printf '%s.wasm: %s bytes, %s gzipped\n' "$name" "$(stat -c %s "$folder/$name.wasm")" "$(stat -c %s "$folder/$name.wasm.gz")"
done
