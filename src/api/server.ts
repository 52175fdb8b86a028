import { type FastifyInstance, fastify } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import type { MappingStatus } from "../engine/engine.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import { isLocalHostHeader, type ServerAddress } from "./server-address.ts";

export interface ApiServerOptions {
  readonly address: ServerAddress;
  readonly version: string;
  /** Of the mappings that should run. */
  readonly status: () => readonly MappingStatus[];
  readonly metricsText: () => Promise<string>;
  readonly metricsContentType: string;
  /** `undefined` until everything is open. */
  readonly control: () => ControlPlane | undefined;
}

export interface ApiServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Serves health, metrics and status.
 * @throws MillraceError ERR_MILLRACE_CONFIG when the address is taken or cannot be used.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
  });
  guard(app);
  addRoutes(app, options);
  const { host, port } = options.address;
  try {
    const url = await app.listen({ host, port });
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw listenError(error, options.address);
  }
}

function guard(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    if (isLocalHostHeader(request.headers.host)) return;
    await reply.code(421).send({ message: "This server answers only to local names, such as localhost." });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ message: `There is nothing at ${request.method} ${request.url.slice(0, 200)}.` }),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = statusCodeOf(error);
    const message = status < 500 ? describeError(error) : "The request failed.";
    return reply.code(status).send({ message });
  });
}

function addRoutes(app: FastifyInstance, options: ApiServerOptions): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const waiting = options.status().filter(({ state }) => state !== "Enabled");
    if (waiting.length === 0) return { status: "ready" };
    reply.code(503);
    return { status: "not ready", mappings: waiting.map(({ name, state }) => ({ name, state })) };
  });
  app.get("/metrics", async (_request, reply) => {
    reply.type(options.metricsContentType);
    return options.metricsText();
  });
  app.get("/millrace/v1/status", async () => ({ version: options.version, mappings: options.status() }));
}

function statusCodeOf(error: unknown): number {
  const status =
    typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 500;
  return typeof status === "number" && status >= 400 && status < 600 ? status : 500;
}

function listenError(error: unknown, { host, port }: ServerAddress): MillraceError {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  const remedy =
    "Give another address with --api HOST:PORT (port 0 takes a free one), or --api off to serve none.";
  const reason =
    code === "EADDRINUSE" ? "another process listens there" : `it cannot be used: ${describeError(error)}`;
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The API cannot be served on ${host}:${port}: ${reason}. ${remedy}`,
    {
      cause: error,
    },
  );
}
