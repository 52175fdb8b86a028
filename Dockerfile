# The base image is pinned by version, the one that the toolchain of checkouts has (a test compares them). Whoever builds for
# others pins its digest too:
#   docker build --build-arg NODE_IMAGE=node:24.21.0-trixie-slim@sha256:… -t millrace .
ARG NODE_IMAGE=node:24.21.0-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# What is needed to build, without the Node that checkouts bring: the image has its own. No install script runs (.npmrc).
RUN npm ci --workspaces=false
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts scripts/
COPY connectors/ connectors/
COPY src/ src/
RUN node scripts/build.ts
# From here on what the program itself needs, and nothing else.
RUN npm ci --workspaces=false --omit=dev --omit=optional

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Millrace" \
      org.opencontainers.image.description="Self-hosted event source mappings for any function platform" \
      org.opencontainers.image.licenses="Apache-2.0"
# The program installs nothing: what could is a gift to whoever breaks in. /data is the one place that it writes to.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && mkdir -p /data /etc/millrace \
 && chown 65532:65532 /data
COPY --from=build /build/package.json /app/
COPY --from=build /build/node_modules/ /app/node_modules/
COPY --from=build /build/dist/ /app/dist/
COPY LICENSE scripts/init.sh /app/
# What is given back goes back to the system (src/system/allocator.ts): glibc would keep up to 64 MiB of it.
ENV NODE_ENV=production \
    HOME=/tmp \
    MALLOC_MMAP_THRESHOLD_=131072 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    MALLOC_ARENA_MAX=2 \
    MILLRACE_HEALTH_URL=http://127.0.0.1:9090/healthz
# By number: Kubernetes can only then see that it is not root.
USER 65532:65532
WORKDIR /data
VOLUME /data
# Metrics and health; and, where they are asked for, the API, producers (--sources-api) and HTTP requests (--front).
EXPOSE 9090 8080 8081 8082
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.MILLRACE_HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The base image has no init: this one passes stop signals on, also while Node itself starts, and reaps.
ENTRYPOINT ["sh", "/app/init.sh", "node", "/app/dist/src/bin.js"]
# Manifests are mounted at /etc/millrace. The API stays on loopback: to open it takes --api-credentials.
CMD ["run", "-f", "/etc/millrace", "--store", "sqlite:/data/progress.db", "--metrics", "0.0.0.0:9090"]
