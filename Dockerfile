# A production image of Weir. An application's image adds its topology:
#
#   FROM weir
#   COPY segments.ts /app/
#   CMD ["run", "/app/segments.ts"]
#
# and gets WEIR_APPLICATION_ID and WEIR_BOOTSTRAP_SERVERS from its environment.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
  && apt-get install --yes --no-install-recommends npm \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
ENV WEIR_TOOLCHAIN_DIR=/toolchain
# The tools and libraries take minutes and change rarely: a layer of their own.
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN bash scripts/setup.sh --no-addon
COPY binding.gyp tsconfig.json tsconfig.build.json tsconfig.build.demo.json ./
COPY native native
COPY src src
COPY examples/segmentation examples/segmentation
RUN npm run build
# The package as it is installed, with what it needs at run time alone.
RUN mkdir -p /app/node_modules/weir/build/Release \
  && cp -r dist package.json package-lock.json .npmrc /app/node_modules/weir/ \
  && cp build/Release/weir.node /app/node_modules/weir/build/Release/ \
  && cd /app/node_modules/weir \
  && npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && cp --dereference /toolchain/current/node/bin/node /usr/local/bin/node

FROM ${BASE}
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates libjemalloc2 libstdc++6 \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --user-group --home-dir /var/lib/weir --create-home weir
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
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
USER weir
VOLUME /var/lib/weir
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WEIR_HTTP_PORT}/healthz`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/node_modules/weir/dist/cli/main.js"]
CMD ["--help"]
