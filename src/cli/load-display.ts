import type { LoadProgress } from "../load/load-measurement.ts";
import type { LoadWindow } from "../load/load-result.ts";
import type { Clock } from "../ports/clock.ts";
import type { OutputStream } from "./output-stream.ts";
import { formatBytes, formatCount, formatDuration } from "./terminal-text.ts";

/** Between two lines where there is no terminal: a build server's log stays short. */
const PLAIN_LINE_MS = 5_000;
const COLUMNS_DEFAULT = 120;

/** How a load test goes on: one line that is drawn again and again on a terminal, a line now and then elsewhere. */
export class LoadDisplay {
  readonly #output: OutputStream;
  readonly #clock: Clock;
  #shown = "";
  #plainAtMs = Number.NEGATIVE_INFINITY;

  constructor(output: OutputStream, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  show(progress: LoadProgress): void {
    if (progress.kind === "event") {
      this.#output.write(`${this.#erase()}${formatTime(progress.atMs)}  ${progress.text}\n${this.#shown}`);
      return;
    }
    const line = formatProgress(progress);
    if (this.#output.isTTY === true) {
      const columns = this.#output.columns || COLUMNS_DEFAULT;
      const erase = this.#erase();
      this.#shown = line.slice(0, columns - 1);
      this.#output.write(erase + this.#shown);
      return;
    }
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#plainAtMs < PLAIN_LINE_MS) return;
    this.#plainAtMs = nowMs;
    this.#output.write(`${line}\n`);
  }

  /** Leaves the last line standing. */
  stop(): void {
    if (this.#shown !== "") this.#output.write("\n");
    this.#shown = "";
  }

  #erase(): string {
    return this.#shown === "" ? "" : "\r\u001b[2K";
  }
}

export function formatProgress({
  window,
  totalMs,
  memory,
  violations,
}: Extract<LoadProgress, { readonly kind: "window" }>): string {
  const perSecond = (count: number) => `${formatCount(count / Math.max(0.001, window.seconds))}/s`;
  return [
    `${formatTime(window.atMs)} of ${formatTime(totalMs)}`,
    `sent ${perSecond(window.sent)}`,
    `delivered ${perSecond(window.delivered)}`,
    `lag ${formatCount(window.lag)}`,
    `in flight ${formatCount(window.inFlight)}`,
    latencyText(window),
    `failed ${formatCount(window.failures)}`,
    ...(memory === undefined ? [] : [`engine ${formatBytes(memory.rssBytes)}`]),
    ...(violations === 0 ? [] : [`VIOLATIONS ${formatCount(violations)}`]),
  ].join("   ");
}

function latencyText({ delivered, p50Ms, p99Ms }: LoadWindow): string {
  return delivered === 0 ? "p99 –" : `p50 ${formatDuration(p50Ms)} p99 ${formatDuration(p99Ms)}`;
}

/** `0:05`, `1:02:03` */
function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
