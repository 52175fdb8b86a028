import type { IncomingMessage } from "node:http";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import type { EmbeddedBooks } from "../control/embedded/embedded-book.ts";
import type { MappingStatus } from "../engine/engine.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogFields, LogLevel } from "../ports/telemetry.ts";
import { Access } from "./access.ts";
import type { Credentials } from "./access-credentials.ts";
import { addEventRoutes } from "./beside-routes.ts";
import { BodyBytes, type BodyBytesLimits } from "./body-bytes.ts";
import { readBody } from "./body-reader.ts";
import { codeDeployOperations } from "./codedeploy-operations.ts";
import { type ConnectionLimits, connectionLimits, limitConnections } from "./connection-limit.ts";
import { addEmbeddedRoutes } from "./embedded-routes.ts";
import { addInvokeAsyncRoute } from "./event-route.ts";
import { addExplainRoute } from "./explain-route.ts";
import { addFailureRoutes } from "./failure-routes.ts";
import { addFunctionLogRoute } from "./function-log-route.ts";
import { addFunctionOperations } from "./functions/function-operations.ts";
import { addRouteList } from "./functions/url-routes.ts";
import { guard, heldBodyOf } from "./guard.ts";
import { addInvokeRoute } from "./invoke-route.ts";
import { BODY_BYTES_MAX } from "./json-body.ts";
import { addMappingRoutes } from "./mapping-routes.ts";
import { addLiveRoutes } from "./page/live-route.ts";
import { addLoadTestRoutes } from "./page/load-test-routes.ts";
import { PageAccess } from "./page/page-access.ts";
import { addPageRoutes } from "./page/page-routes.ts";
import { addPushedRoutes, type PushedOptions } from "./pushed/pushed-routes.ts";
import { addRedriveRoutes } from "./redrive-routes.ts";
import { addConcurrencyRoutes, addResourceRoutes } from "./resource-routes.ts";
import { addRolloutRoutes } from "./rollout-routes.ts";
import { addRoute, type RouteRole } from "./route.ts";
import { eventsOperations } from "./schedules/events-operations.ts";
import { addSchedulerRoutes } from "./schedules/scheduler-routes.ts";
import type { ServerAddress } from "./server-address.ts";
import { addTagRoutes } from "./tag-routes.ts";
import { addTargetOperations } from "./target-operations.ts";
import { addTestPatternRoute } from "./test-pattern-route.ts";
import { addUnsupportedOperations } from "./unsupported-operations.ts";
import { ApiFault, sendFault } from "./wire-fault.ts";

export interface ApiServerOptions extends PushedOptions {
  readonly address: ServerAddress;
  readonly version: string;
  /** The mappings that should run. */
  readonly status: () => Promise<readonly MappingStatus[]>;
  readonly metricsText: () => Promise<string>;
  readonly metricsContentType: string;
  /** `undefined` until everything is open. */
  readonly control: () => ControlPlane | undefined;
  /** Streams and queues that connectors keep; `undefined` until everything is open. */
  readonly embedded?: () => EmbeddedBooks | undefined;
  readonly clock: Clock;
  /** Makes the id of a request: unique, without meaning. */
  readonly requestId: () => string;
  readonly log: (level: LogLevel, message: string, fields: LogFields) => void;
  /** `undefined`: whoever reaches the address may do all. */
  readonly credentials: Credentials | undefined;
  /** Names that the server answers to, besides local ones and its address. */
  readonly hosts: readonly string[];
  /** The page at `/`. Default: shown. */
  readonly isPageShown?: boolean;
  /** What processes that serve one address have in common. */
  readonly groupSecret?: string | undefined;
  /** Metrics and health have a server of their own. */
  readonly isMetricsElsewhere: boolean;
  /** Default: what the process's descriptors allow. */
  readonly connections?: ConnectionLimits;
  /** Default: `BODY_BYTES_LIMITS`. */
  readonly bodyBytes?: BodyBytesLimits;
}

export interface ApiServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  close(): Promise<void>;
}

/** What one caller may send; four times as many may come at once. */
const REQUESTS_PER_SECOND = 100;
/** Names that callers sign requests for. */
const SERVICES: readonly string[] = ["lambda", "scheduler", "events", "codedeploy"];
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** How often the two time-outs are looked at: a slow caller lasts at most this much longer. */
const TIMEOUT_CHECK_MS = 1_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** Routes check for themselves: without these, compilers of schemas are loaded, four MiB, which none of them uses. */
const NO_SCHEMAS = { buildValidator: refuseSchema, buildSerializer: refuseSchema };

/**
 * Serves Lambda's API on event source mappings and functions, health, metrics and status.
 * @throws MillraceError ERR_MILLRACE_CONFIG when the address is taken or cannot be used.
 */
export function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  return listen(createApp(options), options.address);
}

async function listen(app: FastifyInstance, address: ServerAddress): Promise<ApiServer> {
  try {
    const url = await app.listen(address);
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw listenError(error, address);
  }
}

/** The server without an address. */
export function createApp(options: ApiServerOptions): FastifyInstance {
  const { isPageShown = true, credentials, groupSecret } = options;
  const page = isPageShown ? new PageAccess(credentials !== undefined, groupSecret) : undefined;
  const app = createGuardedApp(options, page);
  if (!options.isMetricsElsewhere) addHealthRoutes(app, options, "read");
  addControlRoutes(app, options);
  if (page !== undefined) addPageRoutes(app, page);
  return app;
}

/**
 * Serves metrics and health alone, to whoever asks.
 * @throws MillraceError ERR_MILLRACE_CONFIG as `startApiServer`.
 */
export function startMetricsServer(options: ApiServerOptions): Promise<ApiServer> {
  const app = createGuardedApp({ ...options, credentials: undefined });
  addHealthRoutes(app, options, "public");
  return listen(app, options.address);
}

function createGuardedApp(options: ApiServerOptions, page?: PageAccess): FastifyInstance {
  const app = fastify({
    logger: false,
    schemaController: { compilersFactory: NO_SCHEMAS },
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    frameworkErrors: (_error, _request, reply: FastifyReply) =>
      void reply.code(400).send({ message: "The request cannot be read." }),
  });
  app.removeAllContentTypeParsers();
  limitConnections(app.server, options.connections ?? connectionLimits());
  app.addContentTypeParser("*", (request: FastifyRequest, payload: IncomingMessage) => {
    const stated = request.headers["content-length"];
    const bytesMax = request.routeOptions.bodyLimit ?? BODY_BYTES_MAX;
    return readBody(
      payload,
      stated === undefined ? undefined : Number(stated),
      bytesMax,
      heldBodyOf(request),
      { textOf: request.routeOptions.config.tooLargeText },
    );
  });
  const listenHost = options.address.host;
  guard(app, {
    ...options,
    page,
    bodyBytes: new BodyBytes(options.bodyBytes),
    access: new Access({ ...options, requestsPerSecond: REQUESTS_PER_SECOND, services: SERVICES }),
    listenHost,
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .header("x-amzn-errortype", "UnknownOperationException")
      .send({ message: `There is nothing at ${request.method} ${request.url.slice(0, 200)}.` }),
  );
  app.setErrorHandler((error, _request, reply) => answerError(error, reply));
  return app;
}

function refuseSchema(): never {
  throw new Error("Routes of the API have no schemas: nothing here compiles one.");
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof ControlFault) return sendFault(reply, error.fault, error.message);
  if (error instanceof ApiFault) return sendFault(reply, error.fault, error.message, error.members);
  if (error instanceof MillraceError)
    return sendFault(reply, "ServiceException", "The store of mappings does not answer.");
  const status = statusCodeOf(error);
  if (status === 413) return sendFault(reply, "RequestTooLargeException", "The request body is too large.");
  const message = status < 500 ? describeError(error) : "The request failed.";
  return reply.code(status).send({ message });
}

function addControlRoutes(app: FastifyInstance, options: ApiServerOptions): void {
  const control = () => opened(options.control());
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/status",
    role: "read",
    handle: async () => ({ version: options.version, mappings: await options.status() }),
  });
  addMappingRoutes(app, control);
  addExplainRoute(app, control);
  addEventRoutes(app, control);
  addLiveRoutes(app, control, options.clock);
  addLoadTestRoutes(app, control);
  addTestPatternRoute(app);
  addFailureRoutes(app, control);
  addRedriveRoutes(app, control);
  addTagRoutes(app, control);
  addFunctionOperations(app, control);
  addFunctionLogRoute(app, control);
  addRolloutRoutes(app, control);
  addRouteList(app, control);
  addConcurrencyRoutes(app, control);
  addResourceRoutes(app, control);
  addInvokeRoute(app, control, () => options.clock.now());
  addInvokeAsyncRoute(app, control, () => options.clock.now());
  addSchedulerRoutes(app, control);
  addPushedRoutes(app, control, options);
  addTargetOperations(app, eventsOperations(control), codeDeployOperations(control));
  addEmbeddedRoutes(app, () => opened(options.embedded?.()), options.requestId);
  addUnsupportedOperations(app);
}

function opened<T>(part: T | undefined): T {
  if (part === undefined) throw new ControlFault("ServiceException", "millrace is starting. Try again.");
  return part;
}

function addHealthRoutes(app: FastifyInstance, options: ApiServerOptions, metricsRole: RouteRole): void {
  addRoute(app, { method: "GET", url: "/healthz", role: "public", handle: async () => ({ status: "ok" }) });
  addRoute(app, {
    method: "GET",
    url: "/readyz",
    role: "public",
    async handle(_request, reply) {
      const waiting = notReady(await options.status());
      if (waiting.length === 0) return { status: "ready" };
      reply.code(503);
      // Whoever needs credentials for the rest is not told names here.
      if (options.credentials !== undefined) return { status: "not ready", mappings: waiting.length };
      return { status: "not ready", mappings: waiting.map(({ name, state }) => ({ name, state })) };
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/metrics",
    role: metricsRole,
    async handle(_request, reply) {
      reply.type(options.metricsContentType);
      return options.metricsText();
    },
  });
}

/**
 * What this process is not ready for: mappings that are still being started; and when none works, those that cannot
 * work. One that cannot is no reason to take those that do out of service, and what a caller of the API has made never
 * is.
 */
function notReady(mappings: readonly MappingStatus[]): readonly MappingStatus[] {
  const isStarting = ({ state, problem }: MappingStatus) => state === "Creating" && problem === undefined;
  const starting = mappings.filter(isStarting);
  if (starting.length > 0 || mappings.some(({ state }) => state === "Enabled")) return starting;
  return mappings.filter(({ problem, isFromManifest }) => problem === undefined || isFromManifest === true);
}

function statusCodeOf(error: unknown): number {
  const status =
    typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 500;
  return typeof status === "number" && status >= 400 && status < 600 ? status : 500;
}

/** Somebody else has the port: another one may be free. */
export function isAddressTaken(error: unknown): boolean {
  return error instanceof MillraceError && codeOf(error.cause) === "EADDRINUSE";
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

function listenError(error: unknown, { host, port }: ServerAddress): MillraceError {
  const code = codeOf(error);
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
