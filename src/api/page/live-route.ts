import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ControlFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import { LiveBook } from "../../control/live/live-view.ts";
import type { Clock } from "../../ports/clock.ts";
import { knownCaller, mayInspect, noteContentView } from "../guard.ts";
import { addRoute, paramOf, queryOf } from "../route.ts";
import { ApiFault } from "../wire-fault.ts";
import { ContentViews } from "./content-views.ts";
import { LiveReader } from "./live-reader.ts";

const LOOK_MS = 1_000;
const STREAMS_MAX = 32;
const STREAMS_OF_CALLER_MAX = 4;
/** One answer has so many of a mapping. */
const SHARDS_MAX = 200;

/** `GET /millrace/v1/live`: all mappings and processes as server-sent events; and one mapping closely, asked for. */
export function addLiveRoutes(app: FastifyInstance, control: () => ControlPlane, clock: Clock): void {
  const book = new LiveBook({
    everywhere: () => control().everywhere(false),
    mappings: () => control().mappings.list({}),
    clock,
  });
  const readers = new LiveReaders(book, clock);
  const views = new ContentViews(clock);
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
    url: "/millrace/v1/live/sparks",
    role: "read",
    handle: async () => ({ sparks: Object.fromEntries(await book.sparks()) }),
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/live/mappings/:uuid",
    role: "read",
    async handle(request) {
      const uuid = await control().mappings.uuidNamed(paramOf(request, "uuid"));
      const detail = await book.detail(uuid, {
        mayInspect: mayInspect(request),
        from: numberOf(request, "from", { otherwise: 0, most: Number.MAX_SAFE_INTEGER }),
        max: numberOf(request, "max", { otherwise: SHARDS_MAX, most: SHARDS_MAX }),
      });
      const shown = detail.errors.filter(({ message }) => message !== undefined).map(({ id }) => id);
      const errors = views.news(knownCaller(request).name, uuid, shown);
      if (errors.length > 0) noteContentView(request, "ShowErrors", { uuid, errors: errors.join() });
      return detail;
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

/** @throws ControlFault InvalidParameterValueException */
function numberOf(
  request: FastifyRequest,
  name: string,
  { otherwise, most }: { readonly otherwise: number; readonly most: number },
): number {
  const text = queryOf(request, name);
  const value = Number(text ?? otherwise);
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new ControlFault(
    "InvalidParameterValueException",
    `${name} is to be a whole number from 0 to ${most}.`,
  );
}

/** One look a second for all who read, and none while nobody does. */
class LiveReaders {
  readonly #book: LiveBook;
  readonly #clock: Clock;
  readonly #readers = new Map<LiveReader, ServerResponse>();
  #isLooking = false;
  #isClosed = false;

  constructor(book: LiveBook, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
  }

  /** @throws ApiFault TooManyRequestsException */
  open(request: FastifyRequest, reply: FastifyReply): void {
    const caller = knownCaller(request).name;
    const own = [...this.#readers.keys()].filter((reader) => reader.caller === caller).length;
    if (this.#readers.size >= STREAMS_MAX || own >= STREAMS_OF_CALLER_MAX) {
      throw new ApiFault("TooManyRequestsException", "Too many pages are open. Close one, and try again.");
    }
    reply.hijack();
    const headers = { ...reply.getHeaders(), "content-type": "text/event-stream", "x-accel-buffering": "no" };
    reply.raw.writeHead(200, headers as Record<string, string>);
    const reader = new LiveReader(caller, reply.raw);
    this.#readers.set(reader, reply.raw);
    reply.raw.once("close", () => this.#readers.delete(reader));
    void this.#look([reader]);
    if (!this.#isLooking) this.#plan();
  }

  close(): void {
    this.#isClosed = true;
    for (const response of this.#readers.values()) response.destroy();
  }

  #plan(): void {
    this.#isLooking = this.#readers.size > 0 && !this.#isClosed;
    if (!this.#isLooking) return;
    this.#clock.schedule(
      LOOK_MS,
      () => void this.#look([...this.#readers.keys()]).finally(() => this.#plan()),
    );
  }

  async #look(readers: readonly LiveReader[]): Promise<void> {
    const view = await this.#book.view().catch(() => undefined);
    for (const reader of readers) reader.look(view);
  }
}
