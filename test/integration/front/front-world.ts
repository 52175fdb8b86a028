import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { FRONT_LIMITS, type FrontLimits } from "../../../src/front/front-limits.ts";
import {
  type FrontServer,
  type FrontServerOptions,
  startFrontServer,
} from "../../../src/front/front-server.ts";
import { RouteTable } from "../../../src/front/route-table.ts";
import type { RouteResource } from "../../../src/manifests/route-resource.ts";
import type { FrontGauges, FrontRefusal } from "../../../src/ports/front-telemetry.ts";
import type { Invocation, InvocationResult } from "../../../src/ports/invoker.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { createSystemRandom } from "../../../src/system/random.ts";
import { routeOf } from "../../unit/front/exchange-fixture.ts";

export const HOST = "orders-url.lambda-url.eu-west-1.localhost";

type Answer = (call: Invocation, event: unknown) => Promise<InvocationResult> | InvocationResult;

export function succeeded(value: unknown): InvocationResult {
  return { kind: "succeeded", payload: Buffer.from(JSON.stringify(value)) };
}

/** A front on a real port, before a function that is a script. */
export class FrontWorld {
  readonly calls: { readonly requestId: string; readonly event: Record<string, unknown> }[] = [];
  readonly refusals: FrontRefusal[] = [];
  readonly statuses: number[] = [];
  gauges: () => FrontGauges = () => ({ connections: 0, bytes: 0, requests: 0 });
  #server: FrontServer | undefined;
  answer: Answer = () => succeeded({ statusCode: 200, body: "ok" });

  static async start(
    t: TestContext,
    limits: Partial<FrontLimits> = {},
    options: Partial<FrontServerOptions> & { readonly routes?: readonly RouteResource[] } = {},
  ): Promise<FrontWorld> {
    const world = new FrontWorld();
    const { routes = [routeOf(), routeOf({ path: "/pets/{id}", shape: "rest" }, "pets")] } = options;
    const table = new RouteTable(routes, "lambda-url.eu-west-1.localhost");
    const random = createSystemRandom();
    world.#server = await startFrontServer({
      address: { host: "127.0.0.1", port: 0 },
      table: () => table,
      invoker: () => ({ invoke: (call) => world.#invoke(call) }),
      place: { region: "eu-west-1", account: "123456789012" },
      credentials: undefined,
      limits: { ...FRONT_LIMITS, ...limits },
      clock: createSystemClock(),
      requestId: () => random.uuid(),
      telemetry: {
        answered: (_route, status) => void world.statuses.push(status),
        refused: (reason) => void world.refusals.push(reason),
        watch: (gauges) => {
          world.gauges = gauges;
        },
      },
      ...options,
    });
    t.after(() => world.#server?.close());
    return world;
  }

  get server(): FrontServer {
    if (this.#server === undefined) throw new Error("the front does not run");
    return this.#server;
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  async #invoke(call: Invocation): Promise<InvocationResult> {
    if (!call.mayStart()) return { kind: "notStarted" };
    const event = JSON.parse(Buffer.from(call.payload()).toString());
    this.calls.push({ requestId: call.requestId, event });
    return await this.answer(call, event);
  }

  socket(): Socket {
    const socket = connect(this.port, "127.0.0.1");
    socket.on("error", () => undefined);
    return socket;
  }

  /** Sends these bytes and no more; resolves to all that comes back until the server ends the connection. */
  say(text: string | Buffer): Promise<string> {
    return said(this.socket(), text);
  }

  /** One response of a connection that stays open. */
  async ask(text: string | Buffer): Promise<string> {
    const socket = this.socket();
    const answer = await new Promise<string>((resolve) => {
      let seen = "";
      socket.setEncoding("latin1").on("data", (chunk: string) => {
        seen += chunk;
        if (isWhole(seen)) resolve(seen);
      });
      socket.once("close", () => resolve(seen));
      socket.write(text);
    });
    socket.destroy();
    return answer;
  }
}

export function said(socket: Socket, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let seen = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      seen += chunk;
    });
    socket.once("close", () => resolve(seen));
    socket.write(text);
  });
}

/** A head and a body of its length. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(text)?.[1];
  return text.length >= end + 4 + Number(length ?? 0);
}

/** Status codes of responses, in their order. */
export function statusesIn(text: string): readonly number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

export function get(path = "/", headers: readonly string[] = []): string {
  return `GET ${path} HTTP/1.1\r\n${[`Host: ${HOST}`, ...headers].join("\r\n")}\r\n\r\n`;
}

export function post(body: string, headers: readonly string[] = []): string {
  const head = [`Host: ${HOST}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return `POST / HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n${body}`;
}

/** Resolves once it holds; what it looks at changes by events alone. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
