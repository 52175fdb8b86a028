import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalStream } from "../../connectors/local/local-stream.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { type PostgresServer, withClient } from "../servers/postgres.ts";
import { type ChaosOptions, createRandom, planDisturbances } from "./chaos-plan.ts";
import { type ChaosProgress, type ChaosReport, reportOf } from "./chaos-report.ts";
import { ControlLoop } from "./control-loop.ts";
import { DRIFT_MAX, Fleet } from "./fleet.ts";
import { FleetWitness } from "./fleet-witness.ts";
import type { Disturbance } from "./judge.ts";
import { keepLeaseLedger, type LeaseLedger, readLeaseLedger } from "./lease-ledger.ts";

const UUID = "c4a05000-0000-4000-8000-000000000002";
const KEYS_PER_SHARD = 40;
const FUNCTION_TIMEOUT_SECONDS = 60;
const APPEND_EVERY_MS = 250;
/** Of a disturbance at least so many others go on undisturbed: without one nobody could take over in time. */
const OTHERS_MIN = 2;
const GRACE_MS = 2_000;
/** Pauses and cuts that end before the lease does: then nobody else may begin. */
const SHORT_SHARE = 0.3;
/** Without any progress for so long the run is given up. */
const STANDSTILL_MS = 90_000;
const { leaseDurationMs, checkpointIntervalMs } = DEFAULT_SETTINGS;

/** Several processes on one stream and one PostgreSQL, one of them disturbed again and again. */
export async function runChaos(
  options: ChaosOptions,
  server: PostgresServer,
  onProgress: (progress: ChaosProgress) => void,
): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-chaos-"));
  const url = await server.createDatabase();
  const random = createRandom(options.seed);
  // Makes the tables that the ledger watches.
  await (await openPostgresStore(url)).close();
  await withClient(url, keepLeaseLedger);
  const witness = await FleetWitness.start({
    functionTimeoutMs: FUNCTION_TIMEOUT_SECONDS * 1000,
    random,
    failShare: 0.01,
    answerMs: { min: 2, max: 20 },
  });
  const fleet = new Fleet({
    folder,
    store: url,
    random,
    uuid: UUID,
    functionTimeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    parallelizationFactor: 4,
    urlOf: (life, skewMs) => witness.urlOf(life, skewMs),
  });
  const readLedger = () =>
    withClient(url, (client) => readLeaseLedger(client, (owner) => fleet.lifeOf(owner)));
  const file = openStreamFile(join(folder, "chaos.db"));
  try {
    const stream = file.createStream({ name: "chaos", shards: options.shards });
    return await new Chaos(options, { fleet, witness, stream, random, readLedger }, onProgress).run();
  } finally {
    await fleet.killAll();
    witness.close();
    file.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface ChaosParts {
  readonly fleet: Fleet;
  readonly witness: FleetWitness;
  readonly stream: LocalStream;
  readonly random: () => number;
  readonly readLedger: () => Promise<LeaseLedger>;
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #parts: ChaosParts;
  readonly #onProgress: (progress: ChaosProgress) => void;
  readonly #plan: readonly Disturbance["kind"][];
  readonly #control = new ControlLoop();
  readonly #begunMs = Date.now();
  /** A pause and a cut may go on at once, but never two of a kind: too few would be left. */
  readonly #lasting: Record<"pause" | "cut", Promise<void>> = {
    pause: Promise.resolve(),
    cut: Promise.resolve(),
  };
  #appended = 0;
  #standstillMs = 0;

  constructor(options: ChaosOptions, parts: ChaosParts, onProgress: (progress: ChaosProgress) => void) {
    this.#options = options;
    this.#parts = parts;
    this.#onProgress = onProgress;
    this.#plan = planDisturbances(options.kills, parts.random);
  }

  async run(): Promise<ChaosReport> {
    const { fleet, witness } = this.#parts;
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
      lost: this.#lost(),
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
    const victim = fleet.ready[Math.floor(this.#parts.random() * fleet.ready.length)] ?? 0;
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

  /** At an even pace over the whole run, all keys in turn. */
  async #appendAll(): Promise<void> {
    const { records, everyMs, shards } = this.#options;
    const { stream } = this.#parts;
    const keys = shards * KEYS_PER_SHARD;
    const begunMs = Date.now();
    while (this.#appended < records) {
      const share = Math.min(1, (Date.now() - begunMs + APPEND_EVERY_MS) / (this.#plan.length * everyMs));
      const target = Math.ceil(records * share);
      const batch = Array.from({ length: target - this.#appended }, (_, index) => {
        const ordinal = Math.floor((this.#appended + index) / keys);
        return {
          partitionKey: keyOf((this.#appended + index) % keys),
          data: `${ordinal}/${"x".repeat(100)}`,
        };
      });
      stream.append(batch);
      this.#appended = target;
      this.#onProgress(this.#progress());
      await pause(APPEND_EVERY_MS);
    }
  }

  #progress(): ChaosProgress {
    const { fleet, witness } = this.#parts;
    const count = (wanted: Disturbance["kind"]) =>
      fleet.disturbances.filter(({ kind }) => kind === wanted).length;
    return {
      done: { kill: count("kill"), stop: count("stop"), pause: count("pause"), cut: count("cut") },
      appended: this.#appended,
      distinct: witness.distinct,
      repeats: witness.repeats.length,
      processes: fleet.ready.length,
    };
  }

  #lost(): number {
    const { witness } = this.#parts;
    const keys = this.#options.shards * KEYS_PER_SHARD;
    let succeeded = 0;
    for (let key = 0; key < keys; key++) succeeded += witness.succeededOf(keyOf(key));
    return this.#options.records - succeeded;
  }

  /** Rejects when nothing at all goes on any more. */
  async #until(isTrue: () => boolean, problem: string): Promise<void> {
    const { witness, fleet } = this.#parts;
    let seen = -1;
    while (!isTrue()) {
      const now = witness.calls.length + this.#appended;
      if (now !== seen) this.#standstillMs = Date.now();
      seen = now;
      if (Date.now() - this.#standstillMs > STANDSTILL_MS)
        throw new Error(`nothing goes on any more: ${problem} ${fleet.accidents.join("\n")}`);
      await pause(20);
    }
  }
}

function keyOf(key: number): string {
  return `key-${key}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
