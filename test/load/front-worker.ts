/**
 * A process that answers requests, by the front with a function in a thread or by a bare route of fastify, and tells
 * what CPU time it uses. Run by `startFrontWorker` as `node front-worker.ts KIND`.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Fastify from "fastify";
import { startFrontServer } from "../../src/front/front-server.ts";
import { RouteTable } from "../../src/front/route-table.ts";
import { createModuleFunction } from "../../src/functions/module.ts";
import { Door } from "../../src/invocation/door.ts";
import { InvokerBook } from "../../src/invocation/invoker-book.ts";
import { DEFAULT_PLACE } from "../../src/model/place.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { createSystemRandom } from "../../src/system/random.ts";
import { createTelemetry } from "../../src/telemetry/telemetry.ts";
import { routeOf } from "../unit/front/exchange-fixture.ts";

export type FrontKind = "front" | "fastify" | "fastify-thread";

export interface FrontWorker {
  readonly url: string;
  /** So far. */
  cpuMicros(): Promise<number>;
  close(): Promise<void>;
}

const NAME = "orders";

/** What all answer: how long the text of a request's body is. */
const HANDLER = `export const handler = async (event) => {
  const { text } = event.body === undefined ? { text: "" } : JSON.parse(event.body);
  return { statusCode: 200, body: JSON.stringify({ received: text.length }) };
};
`;

export async function startFrontWorker(kind: FrontKind): Promise<FrontWorker> {
  const child = fork(fileURLToPath(import.meta.url), [kind]);
  const url = String(await answerOf(child, false));
  return {
    url,
    cpuMicros: async () => Number(await answerOf(child, true)),
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.disconnect();
      }),
  };
}

function answerOf(child: ChildProcess, isAsked: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error("a worker of the benchmark ended too early"));
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
    if (isAsked) child.send("cpu");
  });
}

async function serve(kind: FrontKind): Promise<void> {
  const url = await SERVERS[kind]();
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.(url);
}

async function serveFastify(): Promise<string> {
  const app = Fastify();
  app.get("/", async () => ({ received: 0 }));
  app.post<{ Body: { readonly text: string } }>("/", async ({ body }) => ({ received: body.text.length }));
  return await app.listen({ host: "127.0.0.1", port: 0 });
}

/** The event that its function needs, and no more: what a route costs that is written for one function. */
async function serveThread(): Promise<string> {
  const target = createModuleFunction(functionParts());
  const app = Fastify();
  const { signal } = new AbortController();
  const timeoutMs = 30_000;
  const call = async (body: string | undefined) => {
    const context = { requestId: crypto.randomUUID(), functionName: NAME, functionArn: NAME, timeoutMs };
    const payload = Buffer.from(JSON.stringify({ body }));
    const outcome = await target.invoke(payload, { ...context, deadlineMs: Date.now() + timeoutMs }, signal);
    if (outcome.kind !== "succeeded") throw new Error(`the function came to ${outcome.kind}`);
    return JSON.parse(Buffer.from(outcome.payload).toString()).body as string;
  };
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) =>
    done(null, body),
  );
  app.get("/", async (_request, reply) => reply.type("application/json").send(await call(undefined)));
  app.post<{ Body: string }>("/", async ({ body }, reply) =>
    reply.type("application/json").send(await call(body)),
  );
  return await app.listen({ host: "127.0.0.1", port: 0 });
}

/** With the real door, telemetry and limits: what `millrace run --front` serves with. */
async function serveFront(): Promise<string> {
  const [clock, random] = [createSystemClock(), createSystemRandom()];
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
  const { concurrency, ...rest } = functionParts();
  const target = createModuleFunction({ ...rest, concurrency });
  const parts = {
    timeoutMs: 30_000,
    concurrency,
    isReserved: false,
    versions: new Map(),
    aliases: new Map(),
  };
  const book = { declares: () => true, openFunction: async () => ({ name: NAME, target, ...parts }) };
  const door = new Door(book, new InvokerBook(clock, telemetry), clock, telemetry);
  const table = new RouteTable([routeOf({ path: "/", shape: "http2" })], "localhost");
  const { url } = await startFrontServer({
    address: { host: "127.0.0.1", port: 0 },
    ...{ table: () => table, invoker: () => door, place: DEFAULT_PLACE, credentials: undefined },
    ...{ clock, requestId: () => random.uuid(), telemetry: telemetry.front },
  });
  return url;
}

function functionParts() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-front-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "index.mjs");
  writeFileSync(path, HANDLER);
  return { functionName: NAME, path, concurrency: 16 };
}

const SERVERS: Readonly<Record<FrontKind, () => Promise<string>>> = {
  front: serveFront,
  fastify: serveFastify,
  "fastify-thread": serveThread,
};
const [, program, kind = ""] = process.argv;
if (program === fileURLToPath(import.meta.url)) await serve(kind as FrontKind);
