import { bodyLines } from "../control/error-text.ts";
import type { NotedError } from "../invocation/error-book.ts";
import type { FunctionErrorEntry } from "../model/function-error.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { LogFields, LogLevel } from "../ports/telemetry.ts";
import { printableOutput } from "./terminal-text.ts";

export interface ErrorTellerOptions {
  /** Where people read; `undefined`: machines do. */
  readonly lines: { line(text: string): void } | undefined;
  readonly clock: Clock;
  /** Gets texts of functions where they are asked for; `undefined`: they are not. */
  readonly logText: ((level: LogLevel, message: string, fields: LogFields) => void) | undefined;
}

interface Told {
  entry: FunctionErrorEntry;
  /** Since the last line that told of it. */
  untold: number;
}

const INTERVAL_MS = 10_000;
/** Errors that are told whole between two rounds of counts: a function may fail differently for each record. */
const WHOLE_MAX = 10;
/** Errors whose counts are told; further ones are told with a count over all. */
const TOLD_MAX = 200;
const INDENT = "    ";

/**
 * Tells people how functions fail while they look: the first of each error whole, then how often it came, every ten
 * seconds, for as long as it comes.
 */
export class ErrorTeller {
  readonly #options: ErrorTellerOptions;
  /** The one that came longest ago first. */
  readonly #told = new Map<string, Told>();
  #wholes = 0;
  /** Failures by errors that there was no room for. */
  #others = 0;
  #timer: ScheduledCall | undefined;

  constructor(options: ErrorTellerOptions) {
    this.#options = options;
  }

  noted({ mapping, entry }: NotedError): void {
    const key = `${entry.function} ${entry.id}`;
    const told = this.#told.get(key);
    if (told !== undefined) {
      told.untold++;
      told.entry = entry;
    } else if (this.#wholes < WHOLE_MAX) {
      this.#wholes++;
      this.#remember(key, { entry, untold: 0 });
      this.#tellWhole(mapping, entry);
    } else this.#others++;
    this.#timer ??= this.#options.clock.schedule(INTERVAL_MS, () => this.#round());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #remember(key: string, told: Told): void {
    this.#told.set(key, told);
    const [eldest] = this.#told.keys();
    if (this.#told.size > TOLD_MAX && eldest !== undefined) this.#told.delete(eldest);
  }

  #tellWhole(mapping: string | undefined, entry: FunctionErrorEntry): void {
    const { lines, logText } = this.#options;
    const { id, errorType, message, stack, lastRequestId, sample } = entry;
    if (lines === undefined) {
      const text = { errorText: message, stack };
      const where = { mapping, function: entry.function, shardId: sample.shardId, requestId: lastRequestId };
      logText?.("warn", "a function fails", { ...where, errorType, errorId: id, ...text });
      return;
    }
    lines.line(this.#stamped(wholeLines(mapping, entry)));
  }

  /** Timers stop with the failures: nothing is left to tell after a round that told nothing. */
  #round(): void {
    this.#timer = undefined;
    this.#wholes = 0;
    const texts: string[] = [];
    for (const [key, told] of [...this.#told]) {
      const { entry, untold } = told;
      if (untold === 0) continue;
      texts.push(`${entry.errorType} (${entry.id}) of ${entry.function}: ${untold} more`);
      told.untold = 0;
      this.#told.delete(key);
      this.#told.set(key, told);
    }
    if (this.#others > 0) texts.push(`other errors: ${this.#others} more, see millrace explain`);
    this.#others = 0;
    if (texts.length === 0) return;
    for (const text of texts) this.#options.lines?.line(this.#stamped([text]));
    this.#timer = this.#options.clock.schedule(INTERVAL_MS, () => this.#round());
  }

  #stamped([first = "", ...more]: readonly string[]): string {
    const time = new Date(this.#options.clock.now()).toTimeString().slice(0, 8);
    return [`${time} error ${first}`, ...more.map((line) => INDENT + line)].map(printableOutput).join("\n");
  }
}

function wholeLines(mapping: string | undefined, entry: FunctionErrorEntry): readonly string[] {
  const { id, errorType, message, lastRequestId, sample, version } = entry;
  const caller = mapping === undefined ? "Invoke" : mapping;
  const said = message === undefined ? errorType : `${errorType}: ${message}`;
  const place = [sample.shardId, sample.group, sample.position]
    .filter((part) => part !== undefined)
    .join(" ");
  const ran = version === undefined ? "" : ` version ${version}`;
  return [
    `${said.split("\n", 1)[0] ?? ""} (${id})`,
    ...said.split("\n").slice(1),
    ...bodyLines(entry, said),
    `function ${entry.function}${ran}, called by ${caller}${place === "" ? "" : ` at ${place}`}, request ${lastRequestId}`,
  ];
}
