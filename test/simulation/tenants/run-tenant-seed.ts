import { createEngine } from "../../../src/engine/create-engine.ts";
import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import type { TenantSettings } from "../../../src/model/tenant-settings.ts";
import type { Telemetry } from "../../../src/ports/telemetry.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { PLAIN_QUEUE_MAPPING } from "../../fixtures/queue-mapping.ts";
import { answered, SILENT_TELEMETRY } from "../../unit/engine/stream/small-world.ts";
import { ProcessClock } from "../control/process-clock.ts";
import { SeededRandom } from "../random.ts";
import type { SeedRun } from "../small/worlds.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { FairJudge } from "./fair-judge.ts";
import { type TenantMessage, TenantQueue } from "./tenant-queue.ts";

const SENDING_MS = 60_000;
/** All that was sent has been run by then. */
const END_MS = 1_200_000;
const VISIBILITY_MS = 30_000;

interface Tenant {
  readonly name: string;
  readonly latencyMs: number;
  readonly failShare: number;
  /** Messages that come at once, and how long it waits then. */
  readonly burst: number;
  readonly pauseMs: number;
}

/**
 * A queue with tenants that send floods, trickles and single messages, fast, slow and failing, and one process that
 * deals its places out to them (F1, F2, F3).
 */
export async function runTenantSeed(seed: number): Promise<SeedRun> {
  const world = new World(new SeededRandom(seed));
  await world.run();
  return { violations: world.violations, counts: world.counts };
}

class World {
  readonly counts = { sent: 0, calls: 0, mixedBatches: 0, failures: 0, contested: 0 };
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #judge: FairJudge;
  readonly #queue: TenantQueue;
  readonly #settings: TenantSettings;
  readonly #tenants: readonly Tenant[];
  readonly #batchSize: number;
  readonly #places: number;
  readonly #messages = new Map<string, TenantMessage>();

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#time = new VirtualTime(random.fork("ties"));
    this.#tenants = generateTenants(random.fork("tenants"));
    this.#places = random.int(2, 5);
    this.#batchSize = random.pick([1, 2, 5, 10]);
    const isWeighted = random.chance(0.5);
    const weights = isWeighted ? { "tenant-0": random.int(2, 4), "tenant-1": random.int(1, 3) } : {};
    this.#settings = { by: "/tenant", weights, batchPerTenant: random.chance(0.3) };
    this.#judge = new FairJudge({ weights, places: this.#places });
    this.#queue = new TenantQueue(this.#time, (message) => this.#judge.received(message, this.#time.now));
  }

  get violations(): readonly string[] {
    return this.#judge.violations;
  }

  async run(): Promise<void> {
    const clock = new ProcessClock(this.#time, this.#random.fork("clock"));
    const random = this.#random.fork("engine");
    const engine = createEngine({
      owner: "process-1",
      clock,
      random,
      telemetry: this.#telemetry(),
      store: createMemoryStore(),
      settings: DEFAULT_SETTINGS,
    });
    const mapping = {
      ...PLAIN_QUEUE_MAPPING,
      batchSize: this.#batchSize,
      // A failure of one message does not slow the others down.
      reportBatchItemFailures: true,
      concurrencyMax: this.#places,
      tenant: this.#settings,
    };
    const target = { invoke: (payload: Uint8Array) => this.#invoke(payload), close: async () => {} };
    const fn = { name: "fn", target, timeoutMs: VISIBILITY_MS, concurrency: 1_000 };
    engine.start({ kind: "queue", mapping, source: this.#queue.open(VISIBILITY_MS), fn });
    for (const tenant of this.#tenants) this.#send(tenant, this.#random.fork(tenant.name));
    await this.#time.run(END_MS, () => this.violations.length > 0 || this.#isOver());
    if (this.violations.length > 0) return;
    const left = [...this.#messages.values()].filter(({ isDone }) => !isDone).length;
    if (left > 0) this.#judge.violations.push(`end: ${left} messages are left`);
    const stopped = engine.stop(1_000);
    await this.#time.run(END_MS + 60_000, () => false);
    await stopped;
  }

  #isOver(): boolean {
    if (this.#time.now < SENDING_MS) return false;
    for (const { isDone } of this.#messages.values()) if (!isDone) return false;
    return true;
  }

  #telemetry(): Telemetry {
    return {
      ...SILENT_TELEMETRY,
      log: (level, message, fields) => {
        if (level === "error") this.#judge.violations.push(`end: ${message}: ${fields["error"]}`);
      },
    };
  }

  #send(tenant: Tenant, random: SeededRandom): void {
    const { name, burst, pauseMs } = tenant;
    const send = () => {
      if (this.#time.now >= SENDING_MS) return;
      for (let left = burst; left > 0; left--) {
        const message = this.#queue.send(name, this.#judge.waiting);
        this.#messages.set(message.messageId, message);
        this.counts.sent++;
      }
      this.#time.schedule(random.between(0.5, 1.5) * pauseMs, send);
    };
    // The parts of the maximum are taken by then.
    this.#time.schedule(random.between(5_000, 15_000), send);
  }

  async #invoke(payload: Uint8Array) {
    const ids: string[] = JSON.parse(Buffer.from(payload).toString());
    const batch = ids.flatMap((id) => this.#messages.get(id) ?? []);
    const run = this.#judge.started(batch, this.#time.now);
    this.counts.calls++;
    if (this.#judge.active > 1) this.counts.contested++;
    if (new Set(batch.map(({ tenant }) => tenant)).size > 1) this.counts.mixedBatches++;
    const tenants = batch.flatMap(({ tenant }) => this.#tenants.find(({ name }) => name === tenant) ?? []);
    const slowestMs = Math.max(...tenants.map(({ latencyMs }) => latencyMs));
    await new Promise<void>((resolve) => {
      this.#time.schedule(slowestMs * this.#random.between(0.5, 1.5), resolve);
    });
    this.#judge.ended(run, this.#time.now);
    const failed = ids.filter((_, index) => this.#random.chance(tenants[index]?.failShare ?? 0));
    this.counts.failures += failed.length;
    return answered({ batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) });
  }
}

/** One floods, one trickles, others as they like. */
function generateTenants(random: SeededRandom): readonly Tenant[] {
  const count = random.int(2, 6);
  return Array.from({ length: count }, (_, index) => {
    const own = random.fork(`${index}`);
    const isFlood = index === 0;
    const isLone = index === count - 1;
    return {
      name: `tenant-${index}`,
      latencyMs: own.pick([20, 50, 100, 400]),
      failShare: own.chance(0.3) ? 0.2 : 0,
      burst: isFlood ? own.int(50, 300) : isLone ? 1 : own.pick([1, 5, 30, 100]),
      pauseMs: isFlood ? own.int(15_000, 40_000) : isLone ? own.int(2_000, 10_000) : own.int(500, 20_000),
    };
  });
}
