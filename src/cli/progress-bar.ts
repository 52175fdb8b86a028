import type { Clock } from "../ports/clock.ts";
import type { OutputStream } from "./output-stream.ts";
import { formatDuration } from "./terminal-text.ts";

/** Between two lines where there is no terminal: a build server's log stays short. */
const PLAIN_LINE_MS = 5_000;
/** A terminal is drawn no more often. */
const DRAW_MS = 100;
const COLUMNS_DEFAULT = 120;
const BAR_CHARS = 20;
/** Before so much is done nobody can say how long the rest takes. */
const FORESEEN_SHARE_MIN = 0.02;

export interface ProgressStep {
  readonly done: number;
  readonly total: number;
  readonly text: string;
}

/** How something long goes on: a bar that is drawn again and again on a terminal, a line now and then elsewhere. */
export class ProgressBar {
  readonly #output: OutputStream;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #beginMs: number;
  #shown = "";
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #last: ProgressStep | undefined;

  constructor(output: OutputStream, clock: Pick<Clock, "monotonic">) {
    this.#output = output;
    this.#clock = clock;
    this.#beginMs = clock.monotonic();
  }

  show(step: ProgressStep): void {
    this.#last = step;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#shownAtMs < (this.#isTerminal ? DRAW_MS : PLAIN_LINE_MS)) return;
    this.#shownAtMs = nowMs;
    this.#draw(step);
  }

  /** Writes a line above the bar. */
  line(text: string): void {
    this.#output.write(`${this.#erase()}${text}\n${this.#shown}`);
  }

  /** Leaves the last step standing. */
  stop(): void {
    if (this.#shown === "" || this.#last === undefined) return;
    this.#draw(this.#last);
    this.#output.write("\n");
    this.#shown = "";
  }

  get #isTerminal(): boolean {
    return this.#output.isTTY === true;
  }

  #draw(step: ProgressStep): void {
    const line = formatStep(step, this.#clock.monotonic() - this.#beginMs, this.#isTerminal);
    if (!this.#isTerminal) return void this.#output.write(`${line}\n`);
    const erase = this.#erase();
    this.#shown = line.slice(0, (this.#output.columns || COLUMNS_DEFAULT) - 1);
    this.#output.write(erase + this.#shown);
  }

  #erase(): string {
    return this.#shown === "" ? "" : "\r\u001b[2K";
  }
}

function formatStep({ done, total, text }: ProgressStep, elapsedMs: number, hasBar: boolean): string {
  const share = total <= 0 ? 1 : Math.min(1, Math.max(0, done / total));
  const full = Math.floor(share * BAR_CHARS);
  const bar = hasBar ? [`[${"#".repeat(full)}${"-".repeat(BAR_CHARS - full)}]`] : [];
  const restMs = (elapsedMs / share) * (1 - share);
  const rest = share < FORESEEN_SHARE_MIN || share >= 1 ? [] : [`  about ${formatDuration(restMs)} to go`];
  return [...bar, `${String(Math.floor(share * 100)).padStart(3)} %`, ` ${text}`, ...rest].join(" ");
}
