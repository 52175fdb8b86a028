import { writeFileSync } from "node:fs";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import { type ChaosOptions, createRandom, planDisturbances } from "./chaos-plan.ts";
import { type ChaosProgress, type ChaosReport, reportOf } from "./chaos-report.ts";
import { type ChaosWorld, openChaosWorld, pause } from "./chaos-world.ts";
import { ControlLoop } from "./control-loop.ts";
import type { Disturbance } from "./evidence.ts";
import { DRIFT_MAX } from "./fleet.ts";
import type { LeaseLedger } from "./lease-ledger.ts";

const APPEND_EVERY_MS = 250;
/** Of a disturbance at least so many others go on undisturbed: without one nobody could take over in time. */
const OTHERS_MIN = 2;
const GRACE_MS = 2_000;
/** Pauses and cuts that end before the lease does: then nobody else may begin. */
const SHORT_SHARE = 0.3;
/** Who works is told by these. */
const LAST_CALLS = 200;
/** Without any progress for so long the run is given up. */
const STANDSTILL_MS = 90_000;
const FAIL_SHARE = 0.01;
const { leaseDurationMs, checkpointIntervalMs } = DEFAULT_SETTINGS;

/** Several processes on one stream and one PostgreSQL, one of them disturbed again and again. */
export async function runChaos(
  options: ChaosOptions,
  server: PostgresServer,
  onProgress: (progress: ChaosProgress) => void,
): Promise<ChaosReport> {
  const random = createRandom(options.seed);
  const world = await openChaosWorld({ shards: options.shards, failShare: FAIL_SHARE, random }, server);
  try {
    return await new Chaos(options, world, onProgress).run();
  } finally {
    await world.close();
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #parts: ChaosWorld;
  readonly #onProgress: (progress: ChaosProgress) => void;
  readonly #plan: readonly Disturbance["kind"][];
  readonly #control = new ControlLoop();
  readonly #begunMs = Date.now();
  /** A pause and a cut may go on at once, but never two of a kind: too few would be left. */
  readonly #lasting: Record<"pause" | "cut", Promise<void>> = {
    pause: Promise.resolve(),
    cut: Promise.resolve(),
  };
  #standstillMs = 0;

  constructor(options: ChaosOptions, parts: ChaosWorld, onProgress: (progress: ChaosProgress) => void) {
    this.#options = options;
    this.#parts = parts;
    this.#onProgress = onProgress;
    this.#plan = planDisturbances(options.kills, parts.random);
  }

  async run(): Promise<ChaosReport> {
    const { fleet, witness, feed } = this.#parts;
    const { processes, shards, everyMs, records } = this.#options;
    for (let started = 0; started < processes; started++) await fleet.start();
    await this.#until(() => fleet.ready.length === processes, "the processes did not start");
    const appending = this.#appendAll();
    await this.#until(() => witness.shards === shards, "not all shards are worked on");
    for (const kind of this.#plan) {
      const dueMs = Date.now() + everyMs;
      await this.#disturb(kind);
      await this.#until(() => Date.now() >= dueMs, "");
    }
    await Promise.all([this.#lasting.pause, this.#lasting.cut, appending]);
    const isStuck = await this.#until(() => witness.distinct >= records, "").then(
      () => false,
      () => true,
    );
    if (!isStuck) await Promise.all(fleet.ready.map((life) => fleet.stop(life)));
    this.#control.stop();
    const ledger = await this.#parts.readLedger();
    this.#keepEvidence(ledger);
    return reportOf({
      progress: this.#progress(),
      witness,
      fleet,
      ledger,
      control: this.#control,
      lost: feed.lost(witness),
      // A process whose clock is slow takes the lease to last longer.
      rule: {
        leaseDurationMs: leaseDurationMs * (1 + DRIFT_MAX),
        leaseAtLeastMs: leaseDurationMs / (1 + DRIFT_MAX),
        graceMs: GRACE_MS,
        checkpointIntervalMs,
      },
      durationMs: Date.now() - this.#begunMs,
    });
  }

  /** For whoever looks into a violation. */
  #keepEvidence({ leases }: LeaseLedger): void {
    const { evidenceFile } = this.#options;
    if (evidenceFile === undefined) return;
    const { witness, fleet } = this.#parts;
    const { calls, repeats } = witness;
    const all = { calls, repeats, disturbances: fleet.disturbances, watches: fleet.watches(), leases };
    writeFileSync(evidenceFile, JSON.stringify(all));
  }

  async #disturb(kind: Disturbance["kind"]): Promise<void> {
    const { fleet } = this.#parts;
    if (kind === "pause" || kind === "cut") await this.#lasting[kind];
    await this.#until(() => fleet.ready.length > OTHERS_MIN, "too few processes are ready");
    const victim = this.#victimOf(kind);
    switch (kind) {
      case "kill":
        await fleet.start();
        await fleet.kill(victim);
        return;
      case "stop":
        await fleet.start();
        await fleet.stop(victim);
        return;
      case "pause":
        this.#lasting.pause = this.#last(fleet.pause(victim));
        return;
      case "cut":
        this.#lasting.cut = this.#last(fleet.cut(victim));
    }
  }

  /** Whoever hands over must have something: one that has just started would be stopped with nothing in hand. */
  #victimOf(kind: Disturbance["kind"]): number {
    const { fleet, witness, random } = this.#parts;
    const atWork = new Set(witness.calls.slice(-LAST_CALLS).map(({ life }) => life));
    const busy = kind === "stop" ? fleet.ready.filter((life) => atWork.has(life)) : [];
    const lives = busy.length > 0 ? busy : fleet.ready;
    return lives[Math.floor(random() * lives.length)] ?? 0;
  }

  async #last({ goOn }: { goOn(): void }): Promise<void> {
    await pause(this.#lastsMs());
    goOn();
  }

  #lastsMs(): number {
    const { random } = this.#parts;
    return random() < SHORT_SHARE
      ? random() * 0.5 * leaseDurationMs
      : leaseDurationMs + GRACE_MS + random() * 4_000;
  }

  /** At an even pace over the whole run. */
  async #appendAll(): Promise<void> {
    const { records, everyMs } = this.#options;
    const { feed } = this.#parts;
    const begunMs = Date.now();
    while (feed.appended < records) {
      const share = Math.min(1, (Date.now() - begunMs + APPEND_EVERY_MS) / (this.#plan.length * everyMs));
      feed.append(Math.ceil(records * share) - feed.appended);
      this.#onProgress(this.#progress());
      await pause(APPEND_EVERY_MS);
    }
  }

  #progress(): ChaosProgress {
    const { fleet, witness, feed } = this.#parts;
    const count = (wanted: Disturbance["kind"]) =>
      fleet.disturbances.filter(({ kind }) => kind === wanted).length;
    return {
      done: { kill: count("kill"), stop: count("stop"), pause: count("pause"), cut: count("cut") },
      appended: feed.appended,
      distinct: witness.distinct,
      repeats: witness.repeats.length,
      processes: fleet.ready.length,
    };
  }

  /** Rejects when nothing at all goes on any more. */
  async #until(isTrue: () => boolean, problem: string): Promise<void> {
    const { witness, fleet, feed } = this.#parts;
    let seen = -1;
    while (!isTrue()) {
      const now = witness.calls.length + feed.appended;
      if (now !== seen) this.#standstillMs = Date.now();
      seen = now;
      if (Date.now() - this.#standstillMs > STANDSTILL_MS)
        throw new Error(`nothing goes on any more: ${problem} ${fleet.accidents.join("\n")}`);
      await pause(20);
    }
  }
}
