import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { RedriveMapping } from "../../../src/parking/redrive-context.ts";
import { Redriver } from "../../../src/parking/redriver.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";
import type { ParkingStore } from "../../../src/ports/parking-store.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import type { RedriveFeed } from "../../../src/ports/redrives.ts";
import type { MarkName } from "../../../src/ports/telemetry.ts";
import { SILENT_TELEMETRY } from "../../unit/engine/stream/small-world.ts";
import { FaultyWay } from "../control/faulty-way.ts";
import { ProcessClock } from "../control/process-clock.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { throughWay } from "./faulty-port.ts";
import { watchStandstills } from "./watch-standstills.ts";

export const MAPPING = "m-1";
export const FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fn";
const SHUT_MS = 45_000;
const ENVELOPE = '{"Records":[]}';

export interface RedriveProcessOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly store: ParkingStore;
  readonly progress: ProgressStore;
  feedOf(way: FaultyWay, clock: ProcessClock): RedriveFeed;
  readonly concurrency: number;
  readonly batchSize: number;
  readonly faultRate: number;
  call(process: RedriveProcess, payload: Uint8Array, requestId: string): Promise<InvocationOutcome>;
  readonly shutFromMs: number;
  violated(what: string): void;
  mark(name: MarkName): void;
}

/** A process with the real redriver, the real door, and ways of its own to the stores and the catalogue. */
export class RedriveProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly ways: readonly FaultyWay[];
  readonly redriver: Redriver;

  constructor(options: RedriveProcessOptions) {
    const { name, time, random, store, progress } = options;
    this.name = name;
    this.clock = new ProcessClock(time, random.fork("clock"));
    const way = (label: string) => {
      const made = new FaultyWay(time, this.clock, random.fork(label));
      made.faultRate = options.faultRate;
      made.lateRate = 0.3;
      return made;
    };
    const [parking, leases, catalogue] = [way("parking"), way("leases"), way("feed")];
    this.ways = [parking, leases, catalogue];
    this.redriver = new Redriver({
      store: throughWay(store, parking),
      progress: throughWay(progress, leases),
      feed: options.feedOf(catalogue, this.clock),
      clock: this.clock,
      random: random.fork("chance"),
      telemetry: { ...SILENT_TELEMETRY, mark: options.mark },
      settings: DEFAULT_SETTINGS,
      owner: name,
      digest: (text) => text,
    });
    this.redriver.begin(this.#mapping(options));
    watchStandstills({ ...options, clock: this.clock, parts: () => this.redriver.parts(MAPPING) });
  }

  cut(ms: number): void {
    for (const way of this.ways) way.cut(ms);
  }

  /** Everything comes through from now on, in time. */
  heal(): void {
    this.clock.pause(0);
    for (const way of this.ways) {
      way.faultRate = 0;
      way.cut(0);
    }
  }

  #mapping(options: RedriveProcessOptions): RedriveMapping {
    const { call, concurrency, batchSize, shutFromMs, time } = options;
    const isShut = () => time.now >= shutFromMs && time.now < shutFromMs + SHUT_MS;
    const target: FunctionTarget = {
      invoke: async (payload, { requestId }) =>
        isShut() ? { kind: "throttled", retryAfterMs: undefined } : await call(this, payload, requestId),
      close: async () => undefined,
    };
    const book = new InvokerBook(this.clock, SILENT_TELEMETRY);
    const invoker = book.invokerOf({ name: "fn", target, timeoutMs: 30_000, concurrency });
    return {
      uuid: MAPPING,
      name: "orders",
      functionName: "fn",
      functionArn: FUNCTION_ARN,
      batchSize,
      retryAttemptsMax: 1,
      reportBatchItemFailures: false,
      events: {
        eventSourceArn: undefined,
        oversizedRecord: undefined,
        envelopeBytes: () => ENVELOPE.length,
        eventOf: (_shardId, elements) =>
          Buffer.from(`{"Records":[${elements.map((each) => Buffer.from(each)).join(",")}]}`),
      },
      subject: () => {
        throw new Error("nothing is traced here");
      },
      routeOf: () => ({
        invoker,
        functionArn: FUNCTION_ARN,
        concurrency,
        explain: (key) => invoker.explain(key, FUNCTION_ARN),
      }),
    };
  }
}
