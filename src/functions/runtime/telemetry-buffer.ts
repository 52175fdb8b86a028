import type { Clock } from "../../ports/clock.ts";
import { OneTimer } from "./one-timer.ts";
import type { TelemetrySubscription } from "./telemetry-subscription.ts";

export interface TelemetryRecord {
  readonly time: string;
  readonly type: string;
  readonly record: unknown;
}

/** Sends records, and says whether they have arrived. Never rejects. */
export type SendTelemetry = (records: readonly string[]) => Promise<boolean>;

/** Buffers that may wait for a subscriber that is slow; more is dropped, and told. */
const WAITING_FACTOR = 4;

/** What one subscriber has not been told yet: it is never waited for, and holds no more than its bounds. */
export class TelemetryBuffer {
  readonly #of: TelemetrySubscription;
  readonly #clock: Clock;
  readonly #send: SendTelemetry;
  readonly #timer: OneTimer;
  #records: string[] = [];
  #bytes = 0;
  #dropped = { records: 0, bytes: 0, reason: "" };
  #sending: Promise<void> | undefined;

  constructor(of: TelemetrySubscription, clock: Clock, send: SendTelemetry) {
    this.#of = of;
    this.#clock = clock;
    this.#send = send;
    this.#timer = new OneTimer(clock);
  }

  add(record: TelemetryRecord): void {
    const text = JSON.stringify(record);
    const bytes = Buffer.byteLength(text);
    const { itemsMax, bytesMax, timeoutMs } = this.#of;
    const isFull =
      this.#records.length >= itemsMax * WAITING_FACTOR || this.#bytes + bytes > bytesMax * WAITING_FACTOR;
    if (isFull) {
      this.#drop(
        1,
        bytes,
        "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
      );
      return;
    }
    this.#records.push(text);
    this.#bytes += bytes;
    if (this.#records.length >= itemsMax || this.#bytes >= bytesMax) void this.flush();
    else if (this.#records.length === 1) this.#timer.arm(timeoutMs, () => void this.flush());
  }

  /** Resolves when all that is here has been sent, or dropped. */
  flush(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  /** Nobody is there any more who could be told. */
  close(): void {
    this.#timer.disarm();
    this.#records = [];
    this.#bytes = 0;
  }

  async #sendAll(): Promise<void> {
    this.#timer.disarm();
    while (this.#records.length > 0 || this.#dropped.records > 0) {
      const { itemsMax, bytesMax } = this.#of;
      const batch = this.#takeDropped();
      let bytes = 0;
      let count = 0;
      while (count < this.#records.length && count < itemsMax && bytes < bytesMax)
        bytes += Buffer.byteLength(this.#records[count++] ?? "");
      batch.push(...this.#records.splice(0, count));
      this.#bytes -= bytes;
      if (await this.#send(batch)) continue;
      this.#drop(count, bytes, "The records could not be delivered.");
      // It is told with what comes next, and not tried again and again.
      return;
    }
  }

  #drop(records: number, bytes: number, reason: string): void {
    this.#dropped.records += records;
    this.#dropped.bytes += bytes;
    this.#dropped.reason = reason;
  }

  #takeDropped(): string[] {
    const { records, bytes, reason } = this.#dropped;
    if (records === 0) return [];
    this.#dropped = { records: 0, bytes: 0, reason: "" };
    const record = { reason, droppedRecords: records, droppedBytes: bytes };
    const time = new Date(this.#clock.now()).toISOString();
    return [JSON.stringify({ time, type: "platform.logsDropped", record })];
  }
}
