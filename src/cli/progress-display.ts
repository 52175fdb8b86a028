import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { MappingProgress, MappingTotals } from "./mapping-progress.ts";
import type { OutputStream } from "./output-stream.ts";
import { formatBytes, formatCount, formatDuration } from "./terminal-text.ts";

const FRAME_MS = 500;
const COLUMNS_DEFAULT = 100;
const ROWS_DEFAULT = 24;

/** A few lines at the foot of a terminal that are drawn again and again; other lines go above them. */
export class ProgressDisplay {
  readonly #terminal: OutputStream;
  readonly #clock: Clock;
  #frame: readonly string[] = [];
  #read: (() => readonly MappingProgress[]) | undefined;
  #before: readonly MappingProgress[] = [];
  #beforeMs = 0;
  #timer: ScheduledCall | undefined;

  constructor(terminal: OutputStream, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  start(read: () => readonly MappingProgress[]): void {
    this.#read = read;
    this.#beforeMs = this.#clock.monotonic();
    this.#tick();
  }

  /** Writes a line above the display. */
  line(text: string): void {
    this.#terminal.write(`${this.#erase()}${text}\n${joinLines(this.#frame)}`);
  }

  /** Draws once more and leaves the result standing. */
  stop(): void {
    this.#timer?.cancel();
    if (this.#read === undefined) return;
    this.#draw(this.#read());
    this.#read = undefined;
    this.#frame = [];
  }

  #tick(): void {
    if (this.#read === undefined) return;
    this.#draw(this.#read());
    this.#timer = this.#clock.schedule(FRAME_MS, () => this.#tick());
  }

  #draw(progress: readonly MappingProgress[]): void {
    const nowMs = this.#clock.monotonic();
    const erase = this.#erase();
    this.#frame = renderProgress(progress, this.#before, nowMs - this.#beforeMs, this.#terminal);
    this.#terminal.write(erase + joinLines(this.#frame));
    this.#before = progress;
    this.#beforeMs = nowMs;
  }

  #erase(): string {
    return this.#frame.length === 0 ? "" : `\u001b[${this.#frame.length}A\u001b[0J`;
  }
}

/** Lines of at most the terminal's width, since one that wraps could not be erased; rates are those since `before`. */
export function renderProgress(
  progress: readonly MappingProgress[],
  before: readonly MappingProgress[],
  elapsedMs: number,
  terminal: Pick<OutputStream, "columns" | "rows">,
): string[] {
  const columns = sizeOr(terminal.columns, COLUMNS_DEFAULT);
  const rows = sizeOr(terminal.rows, ROWS_DEFAULT);
  const shown = progress.slice(0, Math.max(1, Math.floor((rows - 4) / 2)));
  const lines = shown.flatMap((one) => {
    const earlier = before.find(({ status }) => status.uuid === one.status.uuid)?.totals;
    return renderMapping(one, earlier, elapsedMs);
  });
  if (shown.length < progress.length) lines.push(`… and ${progress.length - shown.length} more mappings`);
  return lines.map((line) => (line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`));
}

/** Some terminals, such as those of build servers, say that they are 0 wide and high. */
function sizeOr(size: number | undefined, fallback: number): number {
  return size === undefined || size === 0 ? fallback : size;
}

function renderMapping(
  { status, totals }: MappingProgress,
  before: MappingTotals | undefined,
  elapsedMs: number,
): string[] {
  const { counters, gauges, invocations } = totals;
  const perSecond = (now: number, earlier: number | undefined) =>
    earlier === undefined || elapsedMs <= 0
      ? "0/s"
      : `${formatCount(((now - earlier) * 1000) / elapsedMs)}/s`;
  const ended = status.shards.filter((shard) => shard.ended).length;
  const lags = status.shards.flatMap(({ lagMs }) => lagMs ?? []);
  const given = [
    ["delivered to destination", counters.on_failure_destination_delivered_events],
    ["dropped", counters.dropped_events],
    ["filtered", counters.filtered_out_events],
  ] as const;
  const first = [
    `${status.name}: ${status.state}`,
    // Queues have none.
    ...(status.shards.length > 0
      ? [`${status.shards.length} shards${ended > 0 ? ` (${ended} ended)` : ""}`]
      : []),
    `records ${formatCount(counters.polled_events)} (${perSecond(counters.polled_events, before?.counters.polled_events)})`,
    `invocations ${formatCount(invocations)} (${perSecond(invocations, before?.invocations)})`,
  ];
  const second = [
    `  failed ${formatCount(counters.failed_invoke_events)}`,
    ...given.flatMap(([label, count]) => (count > 0 ? [`${label} ${formatCount(count)}`] : [])),
    `in flight ${formatCount(gauges.in_flight_invocations)}`,
    `buffered ${formatBytes(gauges.buffered_bytes)}`,
    ...(status.caughtUp
      ? ["caught up"]
      : lags.length > 0
        ? [`lag ${formatDuration(Math.max(...lags))}`]
        : []),
  ];
  return [first.join("   "), second.join("   ")];
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
