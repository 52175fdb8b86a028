import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { MillraceError } from "../model/errors.ts";
import { type EventRecords, readAnyEvent, readEvent } from "./event-records.ts";
import type { Fate, FunctionFate } from "./function-fate.ts";
import { failingItems, settledBy, settledByItems } from "./item-failures.ts";
import type { FunctionLatency } from "./latency-profile.ts";
import type { Ledger } from "./ledger.ts";
import type { LedgerAttempt } from "./ledger-report.ts";
import type { OwnAnswer, OwnFunction } from "./own-function.ts";
import type { RecordIdentity } from "./payload.ts";

export interface FunctionServerOptions {
  readonly ledger: Ledger;
  readonly latency: FunctionLatency;
  readonly fate: FunctionFate;
  /** How long the engine waits for an answer. */
  readonly timeoutMs: number;
  /** Milliseconds on the harness's monotonic clock. */
  readonly now: () => number;
  /** Records that come for the first time, at the moment at which they do. */
  readonly onFresh: (records: readonly RecordIdentity[], nowMs: number) => void;
  readonly onOutcome: (fate: Fate | "expired" | "unreadable") => void;
  /** The scenario's own function, which is called in the place of all that is planned here. */
  readonly own: OwnFunction | undefined;
  /** Answers that name failed items mean them. */
  readonly isItemFailureReported: boolean;
  /** Events may have other forms than millrace's: something else calls. */
  readonly isAnyForm: boolean;
}

export type FunctionFault = "throttle" | "stall" | "errors";

/**
 * What an answer may take to be read by an engine that gets little of a busy machine, as a share of the time-out: the
 * engine is right to try again when the answer comes too late, and only it knows.
 */
const LATE_SHARE = 0.5;
const DEADLINE_HEADER = "lambda-runtime-deadline-ms";
const BODY_BYTES_MAX = 8 * 1024 * 1024;

/**
 * The function of a load test: an HTTP server on loopback that writes what it gets into the ledger, takes its time, and
 * answers as the scenario wants.
 */
export class FunctionServer {
  /** A fault of the schedule that runs now. */
  fault: FunctionFault | undefined;
  /** The engine stands still: what is answered now it may give up for late when it goes on. */
  isEnginePaused = false;
  #options: FunctionServerOptions | undefined;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((incoming, response) => this.#receive(incoming, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  /** From now on it is the function; before, it is unavailable. */
  serve(options: FunctionServerOptions): void {
    this.#options = options;
  }

  /**
   * `listen`: HOST:PORT, by default a free port. Resolves to its URL.
   * @throws MillraceError ERR_MILLRACE_CONFIG when the address cannot be used.
   */
  async start(listen = "127.0.0.1:0"): Promise<string> {
    const [, host = "", port = ""] = /^\[?(.+?)\]?:(\d+)$/.exec(listen) ?? [];
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error) => {
        const message = `The function cannot listen on ${listen}: ${error.message}. Give another function.listen.`;
        reject(new MillraceError("ERR_MILLRACE_CONFIG", message, { cause: error }));
      };
      this.#server.once("error", refuse).listen(Number(port), host, resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #receive(incoming: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      else incoming.destroy();
    });
    incoming.on("end", () => {
      const options = this.#options;
      if (options === undefined) {
        answer(response, 503, { errorMessage: "not serving yet" });
        return;
      }
      const deadlineMs = Number(incoming.headers[DEADLINE_HEADER] ?? Number.NaN);
      const text = Buffer.concat(chunks).toString("latin1");
      const request = { text, deadlineMs, headers: incoming.headers };
      this.#invoke(options, request, response).catch((error: unknown) => {
        // An event that cannot be read is a defect of the engine: the function fails, loudly, for ever.
        options.onOutcome("unreadable");
        answer(response, 500, { errorType: "Unreadable", errorMessage: String(error) });
      });
    });
    incoming.on("error", () => undefined);
    response.on("error", () => undefined);
  }

  async #invoke(options: FunctionServerOptions, request: Request, response: ServerResponse): Promise<void> {
    const { ledger, now, latency, timeoutMs, onFresh, onOutcome } = options;
    const startedMs = now();
    const deadlineMs = Number.isNaN(request.deadlineMs) ? Date.now() + timeoutMs : request.deadlineMs;
    const event = options.isAnyForm ? readAnyEvent(request.text) : readEvent(request.text);
    // Read so late that the engine has given it up, and may have tried again already: no function ran for it.
    if (Date.now() >= deadlineMs) {
      onOutcome("expired");
      answer(response, 504, { errorMessage: "the deadline has passed" });
      return;
    }
    // Refused before the function runs: no attempt in the ledger's eyes.
    const fate = this.#nextFate(options);
    if (fate === "throttle") {
      onOutcome(fate);
      answer(response, 429, { errorMessage: "throttled on purpose" });
      return;
    }
    const attempt = ledger.begin(event.identities);
    onFresh(attempt.fresh, startedMs);
    let wasPaused = this.isEnginePaused;
    const latencyMs = options.own === undefined ? latency.next(keysOf(attempt)) : 0;
    const isOpen = await this.#takeTime(fate, latencyMs, response);
    const isOwn = isOpen && fate === "succeed" && options.own !== undefined;
    const answered = isOwn ? await callOwn(options.own, request, response) : undefined;
    wasPaused ||= this.isEnginePaused;
    onOutcome(isOwn ? fateOf(answered) : fate);
    if (!isOpen || fate === "timeout") {
      ledger.end(attempt, () => false, now());
      return;
    }
    const isUncertain = wasPaused || Date.now() > deadlineMs - timeoutMs * LATE_SHARE;
    if (isOwn) passOn(options, { answered, event, attempt, isUncertain }, response);
    else respond(options, { fate, event, attempt, isUncertain }, response);
  }

  #nextFate({ fate, own }: FunctionServerOptions): Fate {
    switch (this.fault) {
      case "throttle":
        return "throttle";
      case "errors":
        return "throw";
      default:
        return own === undefined ? fate.next() : "succeed";
    }
  }

  /** False when nobody waits for the answer any more. */
  async #takeTime(fate: Fate, latencyMs: number, response: ServerResponse): Promise<boolean> {
    const gone = new AbortController();
    const onClose = () => gone.abort();
    response.once("close", onClose);
    try {
      if (latencyMs >= 1) await sleep(latencyMs, undefined, { signal: gone.signal });
      // Until the engine gives up, or the fault is over.
      while ((fate === "timeout" || this.fault === "stall") && !gone.signal.aborted) {
        await sleep(STALL_POLL_MS, undefined, { signal: gone.signal });
      }
    } catch {
      return false;
    } finally {
      response.off("close", onClose);
    }
    return !response.destroyed;
  }
}

const STALL_POLL_MS = 20;

interface Request {
  readonly text: string;
  /** Epoch milliseconds; the engine waits until then. */
  readonly deadlineMs: number;
  readonly headers: IncomingHttpHeaders;
}

interface Judged {
  readonly event: EventRecords;
  readonly attempt: LedgerAttempt;
  readonly isUncertain: boolean;
}

interface Ended extends Judged {
  readonly fate: Fate;
}

/** Given up when nobody waits for it any more. */
async function callOwn(
  own: OwnFunction,
  { text, headers }: Request,
  response: ServerResponse,
): Promise<OwnAnswer | undefined> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once("close", onClose);
  try {
    return await own.call(Buffer.from(text, "latin1"), headers, gone.signal);
  } finally {
    response.off("close", onClose);
  }
}

function fateOf(answered: OwnAnswer | undefined): Fate {
  if (answered === undefined || answered.outcome === "failed") return "throw";
  return answered.outcome === "refused" ? "throttle" : "succeed";
}

/** What the function has done counts before the engine hears of it. */
function passOn(
  { ledger, now, isItemFailureReported }: FunctionServerOptions,
  { answered, event, attempt, isUncertain }: Judged & { readonly answered: OwnAnswer | undefined },
  response: ServerResponse,
): void {
  const isDone = answered?.outcome === "succeeded" && !response.destroyed;
  const failing = isDone && isItemFailureReported ? failingItems(event, answered.body) : [];
  ledger.end(attempt, isDone ? settledByItems(event, failing) : () => false, now(), isUncertain);
  if (answered === undefined) return void response.destroy();
  if (response.destroyed) return;
  response.writeHead(answered.status, answered.headers);
  response.end(answered.body);
}

function respond(
  { ledger, now, fate: fates }: FunctionServerOptions,
  { fate, event, attempt, isUncertain }: Ended,
  response: ServerResponse,
): void {
  if (fate === "throw") {
    ledger.end(attempt, () => false, now());
    answer(response, 200, { errorType: "Planned", errorMessage: "failed on purpose" }, true);
    return;
  }
  const failing = fate === "partial" ? fates.failing(event.identities.length) : undefined;
  ledger.end(attempt, settledBy(event, failing), now(), isUncertain);
  const failures = failing === undefined ? [] : [{ itemIdentifier: event.itemIdentifiers[failing] }];
  answer(response, 200, { batchItemFailures: failures });
}

function keysOf({ records }: LedgerAttempt): Set<number> {
  return new Set(records.map(({ key }) => key));
}

function answer(response: ServerResponse, status: number, body: object, isFunctionError = false): void {
  if (response.destroyed || response.headersSent) return;
  const headers = { "content-type": "application/json" };
  response.writeHead(status, isFunctionError ? { ...headers, "x-amz-function-error": "Unhandled" } : headers);
  response.end(JSON.stringify(body));
}
