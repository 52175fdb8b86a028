import { firstOf, whenLate } from "../../lib/first-of.ts";
import { Wakening } from "../../lib/wakening.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Span, Tracing } from "../../ports/tracing.ts";
import { OtlpSender, type SendResult } from "./otlp-sender.ts";
import type { OtlpSettings } from "./otlp-settings.ts";
import { encodeSpans, type SpanSource } from "./span-json.ts";

export interface OtlpExporterOptions {
  readonly settings: OtlpSettings;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Pick<Telemetry, "log">;
  readonly counts: SpanCounts;
}

/** Why spans did not come to the collector: waited for by too many others; it said no; it could not be reached. */
export type SpanDrop = "queue_full" | "refused" | "unreachable";

export interface SpanCounts {
  exported(spans: number): void;
  dropped(reason: SpanDrop, spans: number): void;
}

export interface OtlpExporter extends Tracing {
  /** Sends what waits, for at most `CLOSE_MS_MAX`; what is left then is dropped and counted. */
  close(): Promise<void>;
}

const TRIES_MAX = 5;
const BACKOFF_BASE_MS = 1000;
const BACKOFF_CAP_MS = 30_000;
export const CLOSE_MS_MAX = 2000;

/**
 * Sends spans to an OpenTelemetry collector, by OTLP over HTTP. A bounded queue and one request at a time: a collector
 * that is slow or away costs the engine nothing but dropped spans, a counter and one line in the log.
 */
export function createOtlpExporter(options: OtlpExporterOptions): OtlpExporter {
  return new Exporter(options);
}

class Exporter implements OtlpExporter {
  readonly sampling;
  readonly linksMax: number;
  readonly #options: OtlpExporterOptions;
  readonly #source: SpanSource;
  readonly #sender: OtlpSender;
  #waiting: Span[] = [];
  #sending: Promise<void> | undefined;
  #timer: ScheduledCall | undefined;
  #isAway = false;
  #isClosed = false;
  readonly #closing = new Wakening();

  constructor(options: OtlpExporterOptions) {
    const { settings, clock, version } = options;
    this.#options = options;
    this.sampling = settings.sampling;
    this.linksMax = settings.linksMax;
    this.#source = { resource: settings.resource, version };
    this.#sender = new OtlpSender(settings, clock);
  }

  record(span: Span): void {
    const { settings, counts, clock } = this.#options;
    if (this.#isClosed || this.#waiting.length >= settings.queueMax) {
      counts.dropped("queue_full", 1);
      return;
    }
    this.#waiting.push(span);
    if (this.#sending !== undefined) return;
    if (this.#waiting.length >= settings.batchMax) this.#send();
    else this.#timer ??= clock.schedule(settings.delayMs, () => this.#send());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { clock, counts } = this.#options;
    this.#closing.wake();
    this.#send();
    await firstOf(Promise.resolve(this.#sending), whenLate(clock, CLOSE_MS_MAX, undefined));
    await this.#sender.close();
    await this.#sending;
    if (this.#waiting.length > 0) counts.dropped("unreachable", this.#waiting.length);
    this.#waiting = [];
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      // What came while the last answer was on its way.
      if (this.#waiting.length > 0 && !this.#isClosed) {
        this.#timer = this.#options.clock.schedule(this.#options.settings.delayMs, () => this.#send());
      }
    });
  }

  async #sendAll(): Promise<void> {
    const { batchMax } = this.#options.settings;
    do {
      const batch = this.#waiting.splice(0, batchMax);
      if (batch.length === 0) return;
      await this.#sendBatch(batch);
    } while (this.#waiting.length >= batchMax || this.#isClosed);
  }

  async #sendBatch(batch: readonly Span[]): Promise<void> {
    const { counts } = this.#options;
    const json = encodeSpans(batch, this.#source);
    for (let tries = 1; ; tries++) {
      const result = await this.#sender.send(json);
      this.#tell(result);
      if (result.kind === "accepted") {
        const rejected = Math.min(result.rejectedSpans, batch.length);
        counts.exported(batch.length - rejected);
        if (rejected > 0) counts.dropped("refused", rejected);
        return;
      }
      if (result.kind === "refused") return counts.dropped("refused", batch.length);
      if (tries === TRIES_MAX || this.#isClosed) return counts.dropped("unreachable", batch.length);
      await this.#pause(tries, result.retryAfterMs);
    }
  }

  /** Full jitter, so that a fleet does not come back as one; cut short by `close`. */
  async #pause(tries: number, atLeastMs: number): Promise<void> {
    const { clock, random } = this.#options;
    const ceilingMs = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (tries - 1));
    const pauseMs = Math.max(atLeastMs, random.next() * ceilingMs);
    await this.#closing.sleep(clock, pauseMs);
  }

  /** One line when a collector stops taking spans, one when it takes them again. */
  #tell(result: SendResult): void {
    const isAway = result.kind !== "accepted";
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    const { telemetry, settings } = this.#options;
    const address = settings.url.origin + settings.url.pathname;
    if (result.kind === "accepted")
      telemetry.log("info", "spans are taken by the collector again", { address });
    else {
      const message = "the collector takes no spans; they are dropped and counted until it does";
      telemetry.log("warn", message, { address, reason: result.reason });
    }
  }
}
