import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ControlPlane } from "../../control/control-plane.ts";
import { LiveBook } from "../../control/live/live-view.ts";
import type { Clock } from "../../ports/clock.ts";
import { knownCaller, mayInspect } from "../guard.ts";
import { addRoute, paramOf } from "../route.ts";
import { ApiFault } from "../wire-fault.ts";
import { LiveFrames } from "./live-frames.ts";

const TICK_MS = 1_000;
const HEARTBEAT_TICKS = 15;
const STREAMS_MAX = 32;
const STREAMS_OF_CALLER_MAX = 4;
/** A reader that has not taken so many bytes is too slow: its connection is closed, and it comes again. */
const UNREAD_BYTES_MAX = 256 * 1024;

interface Reader {
  readonly caller: string;
  readonly response: ServerResponse;
  readonly frames: LiveFrames;
  quietTicks: number;
}

/** `GET /millrace/v1/live`: all mappings and processes as server-sent events; and one mapping closely, asked for. */
export function addLiveRoutes(app: FastifyInstance, control: () => ControlPlane, clock: Clock): void {
  const book = new LiveBook({
    everywhere: () => control().everywhere(false),
    mappings: () => control().mappings.list({}),
    clock,
  });
  const readers = new LiveReaders(book, clock);
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/live",
    role: "read",
    async handle(request, reply) {
      control();
      readers.open(request, reply);
      return reply;
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/live/mappings/:uuid",
    role: "read",
    async handle(request) {
      const uuid = await control().mappings.uuidNamed(paramOf(request, "uuid"));
      return await book.detail(uuid, mayInspect(request));
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/me",
    role: "read",
    async handle(request) {
      const { name, roles } = knownCaller(request);
      return { name, roles: [...roles] };
    },
  });
  app.addHook("preClose", async () => readers.close());
}

/** One look a second for all who read, and none while nobody does. */
class LiveReaders {
  readonly #book: LiveBook;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  #isTicking = false;
  #isClosed = false;

  constructor(book: LiveBook, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
  }

  /** @throws ApiFault TooManyRequestsException */
  open(request: FastifyRequest, reply: FastifyReply): void {
    const caller = knownCaller(request).name;
    const own = [...this.#readers].filter((reader) => reader.caller === caller).length;
    if (this.#readers.size >= STREAMS_MAX || own >= STREAMS_OF_CALLER_MAX) {
      throw new ApiFault("TooManyRequestsException", "Too many pages are open. Close one, and try again.");
    }
    reply.hijack();
    const headers = { ...reply.getHeaders(), "content-type": "text/event-stream", "x-accel-buffering": "no" };
    reply.raw.writeHead(200, headers as Record<string, string>);
    const reader: Reader = { caller, response: reply.raw, frames: new LiveFrames(), quietTicks: 0 };
    this.#readers.add(reader);
    reply.raw.once("close", () => this.#readers.delete(reader));
    void this.#send([reader]);
    if (!this.#isTicking) this.#plan();
  }

  close(): void {
    this.#isClosed = true;
    for (const { response } of this.#readers) response.destroy();
  }

  #plan(): void {
    this.#isTicking = this.#readers.size > 0 && !this.#isClosed;
    if (!this.#isTicking) return;
    this.#clock.schedule(TICK_MS, () => void this.#send([...this.#readers]).finally(() => this.#plan()));
  }

  async #send(readers: readonly Reader[]): Promise<void> {
    const view = await this.#book.view().catch(() => undefined);
    for (const reader of readers) {
      const { response, frames } = reader;
      if (response.destroyed) continue;
      if (response.writableLength > UNREAD_BYTES_MAX) response.destroy();
      else if (view !== undefined)
        for (const frame of frames.next(view)) response.write(`data: ${frame}\n\n`);
      else if (++reader.quietTicks % HEARTBEAT_TICKS === 0) response.write(": still here\n\n");
    }
  }
}
