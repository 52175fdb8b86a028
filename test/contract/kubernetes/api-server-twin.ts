import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOKEN = "canary-token-of-the-api-server";
const NAMESPACES = ["shop", "pay"];
const PLURALS = ["functions", "eventsourcemappings", "routes", "schedules", "rules"];
const KINDS = ["Function", "EventSourceMapping", "Route", "Schedule", "Rule"];
const PATH = /^\/apis\/millrace\.dev\/v1(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(\/status)?$/;
const VALUES_PATH = /^\/api\/v1\/namespaces\/([^/]+)\/(secrets|configmaps)\/([^/]+)$/;
const PAGE_MAX = 2;

export interface StoredObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    finalizers?: readonly string[];
  };
  spec: unknown;
  status?: unknown;
}

interface Watcher {
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly response: ServerResponse;
}

interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly plural: string;
  readonly object: StoredObject;
}

/**
 * An API server of Kubernetes with the custom resources of millrace, as its documentation describes it: versions of the
 * whole store, generations that count what users write, a status that is written apart, objects that finalizers hold,
 * watches that go on from a version or answer 410, lists in pages, merge patches. Schemas are not checked.
 */
export class ApiServerTwin {
  readonly #objects = new Map<string, StoredObject>();
  #changes: Change[] = [];
  #version = 100;
  /** Changes up to this version are forgotten. */
  #forgotten = 100;
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), "millrace-api-server-"));
  /** Requests that were answered, as `METHOD PATH`. */
  readonly asked: string[] = [];
  /** Kinds, as in paths, that its client may not see. */
  readonly refused = new Set<string>();
  /** Secrets and config maps, as `secrets shop/login`: texts by key. */
  readonly values = new Map<
    string,
    { readonly version: number; readonly texts: Readonly<Record<string, string>> }
  >();
  /** Names of objects that it may not change. */
  readonly unwritable = new Set<string>();

  /** How a client reaches it. */
  get kubeconfig(): string {
    const file = join(this.#folder, "kubeconfig.yaml");
    const config = {
      "current-context": "twin",
      contexts: [{ name: "twin", context: { cluster: "twin", user: "engine", namespace: "shop" } }],
      clusters: [{ name: "twin", cluster: { server: `http://127.0.0.1:${this.#port}` } }],
      users: [{ name: "engine", user: { token: TOKEN } }],
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server = server;
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
  }

  /** As a crash: what it holds is there at the next start. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#watchers.clear();
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** As `kubectl apply`. */
  apply(kind: string, name: string, spec: unknown, namespace = "shop"): StoredObject {
    const plural = PLURALS[KINDS.indexOf(kind)] ?? "";
    const known = this.#objects.get(`${plural} ${namespace}/${name}`);
    const metadata = known?.metadata ?? {
      ...{ name, namespace, uid: randomUUID(), resourceVersion: "", generation: 0 },
      creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const next = { ...metadata, generation: metadata.generation + 1 };
    const object = { ...known, apiVersion: "millrace.dev/v1", kind, metadata: next, spec };
    return this.#put(plural, object, known === undefined ? "ADDED" : "MODIFIED");
  }

  /** As `kubectl delete --wait=false`. */
  delete(kind: string, name: string, namespace = "shop"): void {
    const plural = PLURALS[KINDS.indexOf(kind)] ?? "";
    const known = this.#objects.get(`${plural} ${namespace}/${name}`);
    if (known === undefined) throw new Error(`there is no ${kind} ${name}`);
    const { metadata } = known;
    const deletionTimestamp = metadata.deletionTimestamp ?? new Date().toISOString();
    this.#settle(plural, {
      ...known,
      metadata: { ...metadata, deletionTimestamp, generation: metadata.generation + 1 },
    });
  }

  get(kind: string, name: string, namespace = "shop"): StoredObject | undefined {
    return this.#objects.get(`${PLURALS[KINDS.indexOf(kind)]} ${namespace}/${name}`);
  }

  /** Watches from before are told 410, and all end now. */
  compact(): void {
    this.#forgotten = this.#version;
    this.#changes = [];
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  #put(plural: string, object: StoredObject, type: Change["type"]): StoredObject {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    const key = `${plural} ${stored.metadata.namespace}/${stored.metadata.name}`;
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, stored);
    const change = { type, plural, object: stored };
    this.#changes.push(change);
    for (const watcher of this.#watchers) tell(watcher, change);
    return stored;
  }

  /** Gone when it is to be deleted and nobody holds it. */
  #settle(plural: string, object: StoredObject): StoredObject {
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    const isGone = deletionTimestamp !== undefined && finalizers.length === 0;
    return this.#put(plural, object, isGone ? "DELETED" : "MODIFIED");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://twin");
    this.asked.push(`${request.method} ${url.pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, place = "", kind = "", key = ""] = VALUES_PATH.exec(url.pathname) ?? [];
    if (kind !== "") {
      this.#answerValues(kind, `${kind} ${place}/${key}`, response);
      return;
    }
    const [, namespace, plural = "", name, sub] = PATH.exec(url.pathname) ?? [];
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return refuse(response, 401, "Unauthorized");
    if (this.refused.has(plural)) return refuse(response, 403, `${plural}.millrace.dev is forbidden`);
    if (!PLURALS.includes(plural)) return refuse(response, 404, "the server could not find the resource");
    if (namespace !== undefined && !NAMESPACES.includes(namespace))
      return reply(response, 200, this.#list([], url));
    if (name !== undefined && this.unwritable.has(name)) return refuse(response, 403, `${name} is forbidden`);
    if (name !== undefined) {
      const body = Buffer.concat(chunks).toString();
      this.#patch(`${plural} ${namespace}/${name}`, plural, sub !== undefined, request, body, response);
      return;
    }
    if (url.searchParams.get("watch") !== null) return this.#watch({ plural, namespace, response }, url);
    const objects = [...this.#objects].flatMap(([key, object]) =>
      key.startsWith(`${plural} `) && (namespace ?? object.metadata.namespace) === object.metadata.namespace
        ? [object]
        : [],
    );
    reply(response, 200, this.#list(objects, url));
  }

  #answerValues(kind: string, id: string, response: ServerResponse): unknown {
    if (this.refused.has(id)) return refuse(response, 403, `${id} is forbidden`);
    const found = this.values.get(id);
    if (found === undefined) return refuse(response, 404, `${id} not found`);
    const encoded = (text: string) => (kind === "secrets" ? Buffer.from(text).toString("base64") : text);
    const data = Object.fromEntries(Object.entries(found.texts).map(([name, text]) => [name, encoded(text)]));
    return reply(response, 200, { metadata: { resourceVersion: String(found.version) }, data });
  }

  #list(objects: readonly StoredObject[], url: URL): object {
    const from = Number(url.searchParams.get("continue") ?? "0");
    const limit = Math.min(PAGE_MAX, Number(url.searchParams.get("limit") ?? PAGE_MAX));
    const more = from + limit < objects.length ? { continue: String(from + limit) } : {};
    const items = objects.slice(from, from + limit);
    return { metadata: { resourceVersion: String(this.#version), ...more }, items };
  }

  #watch(watcher: Watcher, url: URL): void {
    const { response } = watcher;
    const since = Number(url.searchParams.get("resourceVersion"));
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (since < this.#forgotten) {
      const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    for (const change of this.#changes)
      if (Number(change.object.metadata.resourceVersion) > since) tell(watcher, change);
    const mark = { kind: "Mark", metadata: { resourceVersion: String(this.#version) } };
    response.write(`${JSON.stringify({ type: "BOOKMARK", object: mark })}\n`);
    this.#watchers.add(watcher);
    response.on("close", () => this.#watchers.delete(watcher));
  }

  #patch(
    key: string,
    plural: string,
    isStatus: boolean,
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): unknown {
    const known = this.#objects.get(key);
    if (known === undefined) return refuse(response, 404, `${key} not found`);
    if (request.method !== "PATCH" || request.headers["content-type"] !== "application/merge-patch+json")
      return refuse(response, 415, "a merge patch is expected");
    const change = JSON.parse(body) as { status?: unknown; metadata?: StoredObject["metadata"] };
    const seen = change.metadata?.resourceVersion;
    if (seen !== undefined && seen !== known.metadata.resourceVersion)
      return refuse(response, 409, "the object has been modified");
    // Each of the two ways writes its own part, whatever else is sent.
    const next: StoredObject = isStatus
      ? { ...known, status: merged(known.status, change.status) }
      : { ...known, metadata: { ...known.metadata, finalizers: change.metadata?.finalizers ?? [] } };
    const isSame = JSON.stringify(next) === JSON.stringify(known);
    return reply(response, 200, isSame ? known : this.#settle(plural, next));
  }
}

/** RFC 7386. */
function merged(before: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const target: Record<string, unknown> = isRecord(before) ? { ...before } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete target[name];
    else target[name] = merged(target[name], value);
  }
  return target;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tell({ plural, namespace, response }: Watcher, { type, object, ...change }: Change): void {
  if (change.plural !== plural || (namespace ?? object.metadata.namespace) !== object.metadata.namespace)
    return;
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  reply(response, code, { kind: "Status", status: "Failure", message, code });
}
