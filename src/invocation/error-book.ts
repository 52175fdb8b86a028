import type { Caller } from "../model/caller.ts";
import {
  cutText,
  ERROR_MESSAGE_BYTES_MAX,
  ERROR_STACK_BYTES_MAX,
  type ErrorDetails,
  type ErrorSample,
  type FunctionErrorEntry,
  type FunctionErrors,
  LOG_TAIL_BYTES_MAX,
  type RunDetail,
  reducedErrorType,
} from "../model/function-error.ts";
import type { OutcomeOfRun } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import { fingerprintOf } from "./error-fingerprint.ts";

export interface ErrorBookOptions {
  readonly clock: Pick<Clock, "now">;
  /** Takes out of a text what nobody may see. Every text of a function passes it before it is kept or handed on. */
  redact(text: string): string;
  /** `type` holds in this process, whatever functions are declared with. */
  readonly details: ErrorDetails;
}

/** A call that failed, as its door knows it. */
export interface FailedCall {
  readonly function: string;
  readonly errorDetails: ErrorDetails;
  readonly timeoutMs: number;
  readonly caller: Caller;
  readonly requestId: string;
  readonly sample: ErrorSample;
}

export interface NotedError {
  /** The mapping whose call it was; `undefined`: a direct call. */
  readonly mapping: string | undefined;
  readonly entry: FunctionErrorEntry;
  /** The first of its kind here. */
  readonly isNew: boolean;
}

type Failure = Extract<OutcomeOfRun, { readonly kind: "functionError" | "timedOut" }>;

interface Kept {
  readonly fingerprint: string;
  readonly entry: FunctionErrorEntry;
  readonly bytes: number;
}

/** The errors of one mapping, or of the direct calls of one function; the one seen longest ago first. */
interface Page {
  readonly kept: Map<string, Kept>;
  leftOut: number;
}

interface Texts {
  readonly errorType: string;
  readonly message: string | undefined;
  readonly stack: string | undefined;
  readonly logTail: string | undefined;
}

const ERRORS_MAX = 20;
const BYTES_MAX = 16 * 1024 * 1024;
/** What an entry takes beside its texts. */
const ENTRY_BYTES = 1024;
const ERROR_TYPE_CHARS_MAX = 256;
const ID_DIGITS = 4;
const LONG_ID_DIGITS = 8;
const NONE: FunctionErrors = { errors: [], leftOut: 0 };

/**
 * How the functions of this process fail: one entry for each error, whatever its number (decision 0036). Its memory is
 * bounded by mapping and over all, so that a function whose errors are all different costs no more.
 */
export class ErrorBook {
  readonly #options: ErrorBookOptions;
  /** The one noted longest ago first. */
  readonly #pages = new Map<string, Page>();
  readonly #listeners = new Set<(noted: NotedError) => void>();
  #bytes = 0;

  constructor(options: ErrorBookOptions) {
    this.#options = options;
  }

  /** Tells of each failure from now on. A listener must not throw. */
  listen(listener: (noted: NotedError) => void): void {
    this.#listeners.add(listener);
  }

  /** What is known of the failures of a mapping's calls. */
  of(mapping: string): FunctionErrors {
    return shown(this.#pages.get(`mapping ${mapping}`));
  }

  /** What is known of the failures of a function's direct calls. */
  ofFunction(name: string): FunctionErrors {
    return shown(this.#pages.get(`function ${name}`));
  }

  /** Notes a failure, and gives it back with its id and as much of its texts as may be seen. */
  note(call: FailedCall, outcome: Failure): Failure {
    // plant: texts-of-functions-are-kept-before-they-are-redacted
    const said = this.#redacted(textsOf(call, outcome));
    const fingerprint = fingerprintOf({ ...said, message: said.message ?? "", function: call.function });
    // plant: a-function-that-tells-types-alone-is-told-with-its-texts
    const isFull = call.errorDetails === "full" && this.#options.details === "full";
    const texts = isFull ? said : typeOnly(said);
    const id = this.#keep(call, outcome, texts, fingerprint);
    const { detail: _raw, ...rest } = outcome;
    const detail = isFull ? detailOf(texts, outcome.detail) : undefined;
    const failure = detail === undefined ? rest : { ...rest, detail };
    if (failure.kind === "timedOut") return { ...failure, errorId: id };
    return { ...failure, errorType: texts.errorType, message: texts.message ?? "", errorId: id };
  }

  /** The end of what a run printed that did not fail; `undefined` where texts of the function are not told. */
  logTailOf(errorDetails: ErrorDetails, { logTail }: RunDetail): string | undefined {
    if (logTail === undefined || errorDetails === "type" || this.#options.details === "type")
      return undefined;
    return cutText(this.#options.redact(logTail), LOG_TAIL_BYTES_MAX, "end");
  }

  #redacted({ errorType, message, stack, logTail }: Texts): Texts {
    const { redact } = this.#options;
    const seen = (text: string | undefined, bytesMax: number, kept: "beginning" | "end" = "beginning") =>
      text === undefined ? undefined : cutText(redact(text), bytesMax, kept);
    return {
      errorType: redact(errorType).replaceAll("\n", " ").slice(0, ERROR_TYPE_CHARS_MAX),
      message: seen(message, ERROR_MESSAGE_BYTES_MAX),
      stack: seen(stack, ERROR_STACK_BYTES_MAX),
      logTail: seen(logTail, LOG_TAIL_BYTES_MAX, "end"),
    };
  }

  #keep(call: FailedCall, outcome: Failure, texts: Texts, fingerprint: string): string {
    const { caller, function: fn } = call;
    const owner = caller.kind === "mapping" ? `mapping ${caller.key}` : `function ${fn}`;
    const page = this.#pages.get(owner) ?? { kept: new Map<string, Kept>(), leftOut: 0 };
    const before = page.kept.get(fingerprint);
    const nowMs = this.#options.clock.now();
    const entry: FunctionErrorEntry = {
      ...texts,
      // Not every attempt brings what was printed.
      logTail: ownLines(texts.logTail) ?? before?.entry.logTail,
      id: before?.entry.id ?? idOf(fingerprint, page),
      function: fn,
      count: (before?.entry.count ?? 0) + 1,
      firstSeenMs: before?.entry.firstSeenMs ?? nowMs,
      lastSeenMs: nowMs,
      lastRequestId: call.requestId,
      sample: call.sample,
      version: outcome.executedVersion,
    };
    const bytes = bytesOf(entry);
    page.kept.delete(fingerprint);
    page.kept.set(fingerprint, { fingerprint, entry, bytes });
    this.#bytes += bytes - (before?.bytes ?? 0);
    this.#pages.delete(owner);
    this.#pages.set(owner, page);
    this.#makeRoom(page);
    const noted = { mapping: caller.kind === "mapping" ? caller.key : undefined, entry };
    for (const listener of this.#listeners) listener({ ...noted, isNew: before === undefined });
    return entry.id;
  }

  /** What was seen longest ago goes, first of the page, then of the page that was noted longest ago. */
  #makeRoom(page: Page): void {
    // plant: the-error-book-grows-with-each-error
    if (page.kept.size > ERRORS_MAX) this.#dropFirst(page);
    while (this.#bytes > BYTES_MAX) {
      const [eldest] = this.#pages;
      if (eldest === undefined) return;
      this.#dropFirst(eldest[1]);
      if (eldest[1].kept.size === 0) this.#pages.delete(eldest[0]);
    }
  }

  #dropFirst(page: Page): void {
    const [first] = page.kept.values();
    if (first === undefined) return;
    page.kept.delete(first.fingerprint);
    page.leftOut++;
    this.#bytes -= first.bytes;
  }
}

/** For worlds without secrets: simulations, and engines that nobody but a test starts. */
export function unredactedErrors(clock: Pick<Clock, "now">): ErrorBook {
  return new ErrorBook({ clock, redact: (text) => text, details: "full" });
}

function textsOf({ timeoutMs }: FailedCall, outcome: Failure): Texts {
  const { stack, logTail } = outcome.detail ?? {};
  if (outcome.kind === "functionError") {
    return { errorType: outcome.errorType, message: outcome.message, stack, logTail };
  }
  const message = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
  return { errorType: "Sandbox.Timedout", message, stack, logTail };
}

function typeOnly({ errorType }: Texts): Texts {
  return {
    errorType: reducedErrorType(errorType),
    message: undefined,
    stack: undefined,
    logTail: undefined,
  };
}

function detailOf({ stack, logTail }: Texts, raw: RunDetail | undefined): RunDetail | undefined {
  if (raw === undefined) return undefined;
  const { stackMember, requestIdMember } = raw;
  return {
    ...(stack === undefined ? {} : { stack }),
    ...(stackMember === undefined ? {} : { stackMember }),
    ...(requestIdMember === undefined ? {} : { requestIdMember }),
    ...(logTail === undefined ? {} : { logTail }),
  };
}

/** Short, unless another error of the page has the same beginning. */
function idOf(fingerprint: string, { kept }: Page): string {
  const short = fingerprint.slice(0, ID_DIGITS);
  for (const { entry } of kept.values())
    if (entry.id.startsWith(short)) return fingerprint.slice(0, LONG_ID_DIGITS);
  return short;
}

/** Texts in memory have two bytes a character at most. */
function bytesOf({ errorType, message = "", stack = "", logTail = "" }: FunctionErrorEntry): number {
  return ENTRY_BYTES + 2 * (errorType.length + message.length + stack.length + logTail.length);
}

function shown(page: Page | undefined): FunctionErrors {
  if (page === undefined) return NONE;
  const errors = Array.from(page.kept.values(), ({ entry }) => entry).reverse();
  return { errors, leftOut: page.leftOut };
}

/** What the function itself has printed; not the lines that Lambda writes around each call (invocation §1.1). */
function ownLines(logTail: string | undefined): string | undefined {
  return logTail?.replaceAll(/^(?:START|END|REPORT) RequestId: .*\n?/gm, "");
}
