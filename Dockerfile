# A production image of Weir. An application's image adds its topology:
#
#   FROM weir
#   COPY segments.ts /app/
#   CMD ["run", "/app/segments.ts"]
#
# or mounts it below /app, where `import ... from 'weir'` finds the package. Its settings are environment variables: at least WEIR_APPLICATION_ID and
# WEIR_BOOTSTRAP_SERVERS. deploy/ has it beside Kafka and in Kubernetes; scripts/verify-image.sh builds and tries it without a daemon.
#
# An npm registry of one's own, and the certificates that it is checked against, are secrets of the build, which no layer keeps:
#
#   docker build --secret id=npmrc,src=$HOME/.npmrc --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt .
#
# (with `cafile=/run/secrets/ca` in that .npmrc). A mirror of Debian's packages comes with BASE.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
  && apt-get install --yes --no-install-recommends npm \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# A folder that is mounted here with RocksDB and librdkafka in it, as an earlier set-up has built them, is used: each is found by its version, sources
# and flags. Otherwise they are built now.
ENV WEIR_TOOLCHAIN_DIR=/toolchain \
  NPM_CONFIG_USERCONFIG=/run/secrets/npmrc
# The tools and libraries take minutes and change rarely: a layer of their own.
COPY package.json package-lock.json .npmrc ./
COPY scripts/setup.sh scripts/
COPY scripts/setup scripts/setup
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca \
  bash scripts/setup.sh --no-addon
COPY scripts scripts
COPY binding.gyp tsconfig.json tsconfig.build.json tsconfig.build.demo.json ./
COPY native native
COPY src src
COPY examples/segmentation examples/segmentation
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca \
  npm run build
COPY LICENSE ./
# The package as it is installed, with what it needs at run time alone.
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca \
  mkdir -p /app/node_modules/weir/build/Release \
  && cp -r dist package.json package-lock.json .npmrc LICENSE /app/node_modules/weir/ \
  && chmod +x /app/node_modules/weir/dist/cli/main.js \
  && cp build/Release/weir.node /app/node_modules/weir/build/Release/ \
  && cd /app/node_modules/weir \
  && npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && cp --dereference /toolchain/current/node/bin/node /usr/local/bin/node

FROM ${BASE}
# The user has a number of its own, so that an orchestrator can see that it is not root, and volumes can be made its own.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates libjemalloc2 libstdc++6 tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
  && groupadd --gid 10001 weir \
  && useradd --uid 10001 --gid 10001 --home-dir /var/lib/weir --no-create-home --shell /usr/sbin/nologin weir \
  && install --directory --owner=weir --group=weir /var/lib/weir
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
RUN ln -s /app/node_modules/weir/dist/cli/main.js /usr/local/bin/weir
WORKDIR /app
# The allocator is worth a tenth of the memory and of the time: docs/decisions/0007.
ENV LD_PRELOAD=libjemalloc.so.2 \
  MALLOC_CONF=narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true
# A worker that comes back starts sooner: what Node compiled is kept beside the state.
ENV NODE_ENV=production \
  NODE_COMPILE_CACHE=/var/lib/weir/.compile-cache \
  WEIR_STATE_DIR=/var/lib/weir \
  WEIR_HTTP_HOST=0.0.0.0 \
  WEIR_HTTP_PORT=8080
USER 10001:10001
VOLUME /var/lib/weir
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WEIR_HTTP_PORT}/healthz`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Weir" \
  org.opencontainers.image.description="A stateful stream processor for Node.js: what Kafka Streams is to the JVM" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# tini is process 1, not Node: the kernel keeps SIGTERM from a process 1 that has not yet said what it does with it, so that a stop in the first moments
# of a start would be lost.
ENTRYPOINT ["tini", "--", "weir"]
CMD ["--help"]
