import type { LoadProgress } from "../load/load-measurement.ts";
import type { LoadWindow } from "../load/load-result.ts";
import type { Clock } from "../ports/clock.ts";
import type { OutputStream } from "./output-stream.ts";
import { ProgressBar } from "./progress-bar.ts";
import { formatBytes, formatCount, formatDuration } from "./terminal-text.ts";

/** How a load test goes on. */
export class LoadDisplay {
  readonly #bar: ProgressBar;

  constructor(output: OutputStream, clock: Clock) {
    this.#bar = new ProgressBar(output, clock);
  }

  show(progress: LoadProgress): void {
    if (progress.kind === "event") {
      this.#bar.line(`${formatTime(progress.atMs)}  ${progress.text}`);
      return;
    }
    const { window, totalMs } = progress;
    this.#bar.show({ done: window.atMs, total: totalMs, text: formatProgress(progress) });
  }

  /** Leaves the last line standing. */
  stop(): void {
    this.#bar.stop();
  }
}

function formatProgress({
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
