import { CUT_OFF_MS } from "../../../src/control/process-life.ts";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { createMemorySnapshotStore } from "../../../src/stores/memory-snapshots.ts";
import { SeededRandom } from "../random.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { ControlProcess, DRAIN_MS_MAX } from "./control-process.ts";
import { CHANGING, COMING, MANIFEST_UUIDS, type Opening, uuidOf } from "./manifest-mappings.ts";
import { Operator, type OperatorCounts } from "./operator.ts";
import { type OwnershipCounts, OwnershipJudge } from "./ownership-judge.ts";
import { type Truth, WatchedStore } from "./watched-store.ts";

export interface ControlRun {
  readonly violations: readonly string[];
  /** What happened, so that a run in which nothing did is seen. */
  readonly counts: Readonly<Record<CountName | keyof OperatorCounts | keyof OwnershipCounts, number>>;
}

const COUNTS = {
  starts: 0,
  settledDisabled: 0,
  crashes: 0,
  pauses: 0,
  cuts: 0,
  refusedChanges: 0,
  delaysWatched: 0,
  repairsSeen: 0,
};
type CountName = keyof typeof COUNTS;

const PROCESSES = 3;
const FAULTS_MS = 240_000;
const HEALED_MS = 150_000;
/** A check comes between two events of one moment. */
const CHECK_MS = 250;
/** What opening a source that works takes, and a look between two events. */
const FINE_OPEN_MS_MAX = 1_000;
/** What a mapping takes to drain, and the look that tells that it is wanted. */
const STOP_MS_MAX = DRAIN_MS_MAX + LOOK_MS + 500;
/** After a repair: the next look comes within ten seconds, and what hung when it was mended is given up first. */
const REPAIRED_MS: Readonly<Record<Opening, number>> = {
  fine: 0,
  missing: 10_000 + FINE_OPEN_MS_MAX,
  thrown: 10_000 + FINE_OPEN_MS_MAX,
  hangs: 40_000 + FINE_OPEN_MS_MAX,
};
const GIVEN = [
  { functionName: "orders", eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:orders" },
  { functionName: "other", eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:orders" },
  {
    functionName: "orders",
    eventSourceArn: "arn:aws:local:eu-west-1:123456789012:stream/orders",
    startingPosition: "LATEST",
  },
];

/**
 * Processes that crash, stand still and lose the store, while mappings are made, changed, disabled and deleted (I17),
 * while some mappings of their manifests cannot be opened until they are repaired (I27), and while those manifests are
 * deployed, read again and touched by others than their owner (I41, I42).
 */
export async function runControlSeed(seed: number): Promise<ControlRun> {
  const world = new World(new SeededRandom(seed));
  await world.run();
  return { violations: world.violations, counts: world.allCounts };
}

class World {
  readonly violations: string[] = [];
  readonly counts = { ...COUNTS };
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #truth: WatchedStore;
  readonly #judge: OwnershipJudge;
  readonly #operator: Operator;
  readonly #snapshots = createMemorySnapshotStore();
  readonly #progress = createMemoryStore();
  #processes: ControlProcess[] = [];
  #lives = 0;
  #isHealed = false;
  #healedMs = Number.POSITIVE_INFINITY;
  readonly #watched = new Set<string>();
  readonly #repaired = new Set<string>();

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#time = new VirtualTime(random.fork("ties"));
    this.#judge = new OwnershipJudge((what) => this.#violated(what));
    this.#operator = new Operator(random.fork("operator"), this.#judge);
    this.#truth = new WatchedStore(
      () => this.#time.now,
      (uuid) => this.#onChange(uuid),
      this.#judge,
    );
  }

  get allCounts(): ControlRun["counts"] {
    return { ...this.counts, ...this.#operator.counts, ...this.#judge.counts };
  }

  async run(): Promise<void> {
    while (this.#processes.length < PROCESSES) this.#startProcess();
    this.#every(500, 3_000, "client", () => this.#change());
    this.#every(1_000, 8_000, "operator", () => this.#operator.act(this.#random.pick(this.#processes)));
    this.#every(1_000, 9_000, "nemesis", () => this.#harm());
    this.#every(CHECK_MS, CHECK_MS, "check", () => this.#checkBounds());
    await this.#time.run(FAULTS_MS, () => this.violations.length > 0);
    this.#isHealed = true;
    this.#healedMs = this.#time.now;
    for (const process of this.#processes) heal(process);
    await this.#time.run(FAULTS_MS + HEALED_MS, () => this.violations.length > 0);
    if (this.violations.length === 0) this.#checkEnd();
  }

  #startProcess(): void {
    const name = `p${++this.#lives}`;
    const process = new ControlProcess({
      name,
      ...this.#operator.deploy(this.#lives > PROCESSES),
      onNeedlessRestart: (uuid) => {
        // One that each content says otherwise may come back to what it was while a process looks away.
        if (MANIFEST_UUIDS.includes(uuid) && uuid !== CHANGING)
          this.#violated(`${name} runs ${uuid} anew as the same`);
      },
      time: this.#time,
      random: this.#random.fork(name),
      store: this.#truth.store,
      progress: this.#progress,
      snapshots: this.#snapshots,
      onStart: (uuid) => this.#onStart(name, uuid),
      onEnded: (error) => this.#violated(`${name} ends, as a mapping cannot be opened: ${String(error)}`),
    });
    if (this.#isHealed) heal(process);
    this.#processes.push(process);
    void process.start();
  }

  #every(minMs: number, maxMs: number, label: string, act: () => void): void {
    const random = this.#random.fork(label);
    const next = () => {
      if (!this.#isHealed || label === "check") act();
      this.#time.schedule(random.between(minMs, maxMs), next);
    };
    this.#time.schedule(random.between(minMs, maxMs), next);
  }

  #change(): void {
    const plane = this.#random.pick(this.#processes).plane;
    if (plane === undefined) return;
    const uuids = [...this.#truth.truths.keys()].filter((uuid) => !MANIFEST_UUIDS.includes(uuid)).slice(-6);
    const act = async () => {
      const kind = this.#random.pick(["create", "create", "toggle", "toggle", "change", "delete"]);
      if (kind === "create" || uuids.length === 0) {
        await plane.mappings.create(this.#random.pick(GIVEN), this.#random.chance(0.8), {});
        return;
      }
      const uuid = this.#random.pick(uuids);
      if (kind === "delete") await plane.mappings.remove(uuid);
      else if (kind === "change")
        await plane.mappings.update(uuid, { batchSize: this.#random.int(1, 10) }, undefined);
      else await plane.mappings.update(uuid, {}, this.#truth.truths.get(uuid)?.isWanted !== true);
    };
    act().catch(() => void this.counts.refusedChanges++);
  }

  #harm(): void {
    const victim = this.#random.pick(this.#processes);
    const ms = this.#random.between(500, 30_000);
    switch (this.#random.pick(["crash", "pause", "cut", "cut", "nothing"])) {
      case "crash":
        this.counts.crashes++;
        victim.clock.die();
        this.#processes = this.#processes.filter((process) => process !== victim);
        this.#time.schedule(this.#random.between(0, 5_000), () => this.#startProcess());
        if (this.#processes.length === 0) this.#startProcess();
        break;
      case "pause":
        this.counts.pauses++;
        victim.clock.pause(ms);
        break;
      case "cut":
        this.counts.cuts++;
        victim.way.cut(ms);
        break;
    }
  }

  #onStart(name: string, uuid: string): void {
    this.counts.starts++;
    const truth = this.#truth.truths.get(uuid);
    if (truth === undefined || truth.isWanted || this.#isStillDeclared(name, uuid)) return;
    if (truth.isSettled) this.#violated(`${name} starts ${uuid}, which is Disabled or gone`);
    else if (this.#isOverdue(truth)) this.#violated(`${name} starts ${uuid} too long after the change`);
  }

  #onChange(uuid: string): void {
    const truth = this.#truth.truths.get(uuid);
    if (truth === undefined || truth.isWanted || !truth.isSettled) return;
    this.counts.settledDisabled++;
    for (const { name, running, clock } of this.#processes) {
      const phase = running.get(uuid);
      if (phase === undefined || clock.isPaused || this.#isStillDeclared(name, uuid)) continue;
      // One that is not waited for any more may still drain: it starts nothing.
      const isWaitedFor = this.#truth.wasHeardSince(truth.unwantedMs, name);
      if (phase === "runs" || isWaitedFor) this.#violated(`${uuid} settles while ${name} ${phase} it`);
    }
  }

  #checkBounds(): void {
    for (const process of this.#processes) this.#checkOpening(process);
    for (const { name, running, clock } of this.#processes) {
      if (clock.isPaused) continue;
      for (const [uuid, phase] of running) {
        const truth = this.#truth.truths.get(uuid);
        if (truth === undefined || truth.isWanted || phase === "drains") continue;
        if (this.#isStillDeclared(name, uuid)) continue;
        if (this.#isOverdue(truth)) this.#violated(`${name} still runs ${uuid}`);
      }
    }
  }

  /** What cannot be opened delays nothing else, and what was repaired runs soon (I27). */
  #checkOpening({ name, running, clock, way, openedMs }: ControlProcess): void {
    if (clock.isPaused || openedMs === undefined) return;
    const isLate = (opening: Opening, boundMs: number, sinceMs = 0) => {
      const truth = this.#truth.truths.get(uuidOf(opening));
      // What was stopped, for the store was out of reach or somebody wanted it so, has ended and is wanted again.
      const known = Math.max(openedMs, truth?.wantedMs ?? 0, clock.resumedMs, way.calmSinceMs) + STOP_MS_MAX;
      return truth?.isWanted === true && this.#time.now - Math.max(sinceMs, known) > boundMs;
    };
    if (isLate("fine", FINE_OPEN_MS_MAX)) {
      if (!running.has(uuidOf("fine"))) this.#violated(`${name} does not run what can be opened`);
      if (!this.#watched.has(name)) this.counts.delaysWatched++;
      this.#watched.add(name);
    }
    for (const opening of ["missing", "thrown", "hangs"] as const) {
      const isRunning = running.has(uuidOf(opening));
      if (isRunning && !this.#isHealed) this.#violated(`${name} runs what cannot be opened`);
      if (isRunning && !this.#repaired.has(`${name} ${opening}`)) this.counts.repairsSeen++;
      if (isRunning) this.#repaired.add(`${name} ${opening}`);
      else if (this.#isHealed && isLate(opening, REPAIRED_MS[opening], this.#healedMs))
        this.#violated(`${name} does not run ${opening}, though it is repaired`);
    }
  }

  /** An orphan that manifests of the same revision still declare goes on where those are. */
  #isStillDeclared(name: string, uuid: string): boolean {
    const owner = this.#judge.orphanOf(uuid);
    const process = this.#processes.find((each) => each.name === name);
    return (
      uuid === COMING &&
      owner !== undefined &&
      process !== undefined &&
      process.revision >= (owner.revision ?? 0)
    );
  }

  #isOverdue({ unwantedMs }: Truth): boolean {
    return this.#time.now - unwantedMs > CUT_OFF_MS;
  }

  #checkEnd(): void {
    for (const [uuid, truth] of this.#truth.truths) {
      if (!truth.isSettled) this.#violated(`${uuid} is not settled at the end`);
      for (const { name, running } of this.#processes) {
        if (!truth.isWanted && this.#isStillDeclared(name, uuid)) continue;
        if (running.has(uuid) !== truth.isWanted)
          this.#violated(`${name} ${truth.isWanted ? "does not run" : "runs"} ${uuid} at the end`);
      }
    }
  }

  #violated(what: string): void {
    this.violations.push(`${what} (at ${Math.round(this.#time.now)} ms)`);
  }
}

function heal(process: ControlProcess): void {
  const { way, clock } = process;
  process.isRepaired = true;
  way.faultRate = 0;
  way.cut(0);
  clock.pause(0);
}
