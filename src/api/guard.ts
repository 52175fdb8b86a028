import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { LogFields, LogLevel } from "../ports/telemetry.ts";
import { type Access, type Arrival, checkRole } from "./access.ts";
import type { Caller, Role } from "./access-credentials.ts";
import { BodyBytes, type HeldBody } from "./body-bytes.ts";
import type { PageAccess } from "./page/page-access.ts";
import { bodyOf, paramOf } from "./route.ts";
import { hostName, isLoopback } from "./server-address.ts";
import type { SignedRequest } from "./signature.ts";

export interface GuardOptions {
  readonly access: Access;
  /** Which changes may come from the server's own page; `undefined`: none. */
  readonly page?: PageAccess | undefined;
  readonly bodyBytes: BodyBytes;
  /** Names that the server answers to, besides local ones and the one that it listens on. */
  readonly hosts: readonly string[];
  readonly listenHost: string;
  readonly requestId: () => string;
  readonly log: (level: LogLevel, message: string, fields: LogFields) => void;
}

interface Visit {
  readonly requestId: string;
  /** What it holds of all bodies; nothing until its caller was looked at. */
  body: HeldBody;
  /** It came by a name of the server and from no web page: its caller was looked at. */
  isHeard: boolean;
  arrival: Arrival | undefined;
  caller: string;
  roles: ReadonlySet<Role>;
  subject: Subject;
  /** Content that its answer shows: it has an audit line as a change has. */
  view: string | undefined;
}

/** What a request is about. */
interface Subject {
  readonly uuid?: string;
  readonly function?: string;
  readonly failure?: string;
  readonly redrive?: string;
  readonly rollout?: string;
  /** An asynchronous one, by its request id. */
  readonly event?: string;
  /** An embedded one, by its name. */
  readonly source?: string;
  /** Ids of errors whose texts were shown. */
  readonly errors?: string;
}

const TOO_MANY = 429;
const UUID_CHARS = 36;
const NO_ROLES: ReadonlySet<Role> = new Set();
const visits = new WeakMap<FastifyRequest, Visit>();
/** Requests that nobody looked at have no room for a body. */
const NO_ROOM = new BodyBytes({ totalMax: 0, unprovenMax: 0 }).open(false);

/** Its caller may see keys, content of records and texts of functions. */
export function mayInspect(request: FastifyRequest): boolean {
  return visits.get(request)?.roles.has("inspect") === true;
}

/** As the audit log has it. */
export function callerOf(request: FastifyRequest): string {
  return visits.get(request)?.caller ?? "";
}

/** As the answer and the audit log have it. */
export function requestIdOf(request: FastifyRequest): string {
  return visits.get(request)?.requestId ?? "";
}

/** Who has come, once it is looked at. */
export function knownCaller(request: FastifyRequest): Caller {
  const { caller = "", roles = NO_ROLES } = visits.get(request) ?? {};
  return { name: caller, roles };
}

export function heldBodyOf(request: FastifyRequest): HeldBody {
  return visits.get(request)?.body ?? NO_ROOM;
}

/** The mapping that a request made, or the function that it calls: its audit line names it. */
export function noteSubject(request: FastifyRequest, subject: Subject): void {
  const visit = visits.get(request);
  if (visit !== undefined) visit.subject = subject;
}

/** The answer shows content that not everybody may see: who has looked at it stands in the log. */
export function noteContentView(request: FastifyRequest, action: string, subject: Subject): void {
  const visit = visits.get(request);
  if (visit === undefined) return;
  visit.view = action;
  visit.subject = subject;
}

/** Lets through what may pass: names, then callers, then roles. Changes, and what was refused of them, are logged. */
export function guard(app: FastifyInstance, options: GuardOptions): void {
  const { access, bodyBytes, requestId, log } = options;
  const names = new Set([...options.hosts, options.listenHost].map((name) => name.toLowerCase()));
  // Probes come by address; what health says is no secret where the server is open to others anyway.
  const isOpen = !isLoopback(options.listenHost);
  app.addHook("onRequest", async (request, reply) => {
    const visit: Visit = {
      requestId: requestId(),
      body: NO_ROOM,
      isHeard: false,
      arrival: undefined,
      caller: "",
      roles: NO_ROLES,
      subject: {},
      view: undefined,
    };
    visits.set(request, visit);
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    reply.header("x-amzn-requestid", visit.requestId);
    const { role, orRole } = request.routeOptions.config;
    const host = hostName(request.headers.host);
    const isKnown = host !== undefined && (isLoopback(host) || names.has(host));
    if (!isKnown && !(isOpen && role === "public")) {
      return reply
        .code(421)
        .send({ message: "This server answers only to its own names, such as localhost." });
    }
    const isOfPage = request.method !== "GET" && request.headers.origin !== undefined;
    if (isOfPage && options.page?.mayAct(request.headers) !== true) {
      // Web pages say where they come from; nothing here is for others than our own.
      return reply.code(403).send({ message: "Requests of web pages are not answered." });
    }
    if (request.is404 || role === "public") {
      openBody(visit, reply, bodyBytes.open(false));
      return;
    }
    if (role === undefined) return reply.code(403).send({ message: "The route is closed." });
    visit.isHeard = true;
    visit.arrival = access.arrive(signedRequest(request), request.ip);
    if (visit.arrival.kind === "caller") {
      visit.caller = visit.arrival.caller.name;
      checkRole(visit.arrival.caller, role, orRole);
    }
    openBody(visit, reply, bodyBytes.open(visit.arrival.kind === "caller"));
    return;
  });
  app.addHook("preHandler", async (request, reply) => {
    const visit = visits.get(request);
    const { role, orRole } = request.routeOptions.config;
    if (request.is404 || role === "public") return;
    if (visit?.arrival === undefined || role === undefined) {
      return reply.code(403).send({ message: "The route is closed." });
    }
    const caller = access.prove(visit.arrival, signedRequest(request), bodyOf(request), request.ip);
    visit.body.prove();
    visit.caller = caller.name;
    visit.roles = caller.roles;
    checkRole(caller, role, orRole);
    return;
  });
  app.addHook("onResponse", async (request, reply) => {
    const visit = visits.get(request);
    const action = request.routeOptions.config.action ?? visit?.view;
    const outcome = reply.statusCode;
    // What comes too often must not fill the log either.
    if (action === undefined || visit?.isHeard !== true || outcome === TOO_MANY) return;
    const { caller, requestId: id, subject } = visit;
    const uuid = paramOf(request, "uuid").slice(0, UUID_CHARS);
    const named = uuid === "" || visit.view !== undefined ? subject : { uuid };
    log("info", "api change", { caller, action, ...named, outcome, requestId: id });
  });
}

/** Given back when the connection is done with the request, however it ends. */
function openBody(visit: Visit, reply: FastifyReply, body: HeldBody): void {
  visit.body = body;
  reply.raw.once("close", () => body.close());
}

function signedRequest({ method, url, headers }: FastifyRequest): SignedRequest {
  return { method, url, headers };
}
