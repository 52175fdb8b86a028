import type { PartReasons } from "../engine/engine.ts";
import type { Lease } from "../leases/lease.ts";
import type { Tenant } from "../leases/lease-holder.ts";
import type { RepeatedLines } from "../lib/repeated-lines.ts";
import { sleepUnless } from "../lib/sleep.ts";
import type { Redrive } from "../model/redrive.ts";
import { firstAttempt } from "../ports/parking-store.ts";
import type { RedriveContext, RedriveMapping, RedriveSurroundings } from "./redrive-context.ts";
import { RedriveNotes, redrivePart } from "./redrive-reasons.ts";
import { type DrainPlaces, KEYS_AT_ONCE, RedriveRun } from "./redrive-run.ts";
import { untilItWorks } from "./retries.ts";

export interface LeasedDrainOptions extends RedriveSurroundings {
  readonly mapping: RedriveMapping;
  readonly lease: Lease;
  readonly lines: RepeatedLines;
}

/** What became of the last calls is written down within this, or left to the next drainer. */
const WRITE_MS = 5_000;

/** The redrives of a mapping under its lease: first what others have begun is fenced, then they go on here. */
export class LeasedDrain implements Tenant {
  readonly lease: Lease;
  readonly #context: RedriveContext;
  readonly #runs = new Map<string, { readonly run: RedriveRun; readonly ended: Promise<void> }>();
  readonly #stop = new AbortController();
  readonly #call = new AbortController();
  readonly #write = new AbortController();
  readonly #taken = new Map<string, number>();
  /** By redrive, items that have not come to an end. */
  readonly #left = new Map<string, number>();
  readonly #notes: RedriveNotes;
  readonly #opened: Promise<void>;
  #attempt: number;
  #redrives: readonly Redrive[] = [];
  #isOpen = false;
  /** Another one has followed: the lease is of no use here. */
  isOver = false;

  constructor(options: LeasedDrainOptions) {
    const { lease, mapping } = options;
    const drainer = { mapping: mapping.uuid, epoch: lease.held.epoch };
    this.lease = lease;
    this.#notes = new RedriveNotes(options.clock);
    this.#attempt = firstAttempt(drainer);
    this.#context = {
      ...options,
      drainer,
      stopSignal: this.#stop.signal,
      callSignal: this.#call.signal,
      writeSignal: this.#write.signal,
      nextAttempt: () => this.#attempt++,
      onLeft: (id, items) => this.#tellLeft(id, items),
      isLive: () => lease.isLive,
      onFenced: () => this.abandon(),
    };
    this.#opened = this.#open();
  }

  update(redrives: readonly Redrive[]): void {
    this.#redrives = redrives;
    if (!this.#isOpen || this.#stop.signal.aborted) return;
    for (const redrive of redrives) {
      const known = this.#runs.get(redrive.id);
      if (known !== undefined) known.run.update(redrive);
      else this.#begin(redrive);
    }
    for (const [id, { run }] of this.#runs) if (!redrives.some((each) => each.id === id)) run.end();
  }

  /** What each redrive that runs here waits for. */
  parts(): readonly PartReasons[] {
    if (this.#isOpen) return [...this.#runs.values()].flatMap(({ run }) => run.part() ?? []);
    const opening = [this.#notes.reason(undefined)];
    return this.#redrives
      .map((redrive) => redrivePart(redrive, "", opening))
      .filter((each) => each.holdsWork);
  }

  /** Nothing is written any more. */
  abandon(): void {
    this.isOver = true;
    for (const controller of [this.#stop, this.#call, this.#write]) controller.abort();
    for (const { run } of this.#runs.values()) run.end();
  }

  async stop(drainMs: number): Promise<void> {
    const { clock } = this.#context;
    this.#stop.abort();
    const all = this.#opened.then(() => {
      for (const { run } of this.#runs.values()) run.end();
      return Promise.all([...this.#runs.values()].map(({ ended }) => ended));
    });
    await sleepUnless(all, clock, drainMs);
    this.#call.abort();
    await sleepUnless(all, clock, WRITE_MS);
    this.#write.abort();
  }

  /** The fence first: what a drainer before has begun does not end any more behind our backs. */
  async #open(): Promise<void> {
    const { store, drainer } = this.#context;
    const message = "redrives of the mapping could not be taken over; trying again";
    const opening = { ...this.#context, notes: this.#notes };
    const answer = await untilItWorks(opening, message, () => store.open(drainer), this.#stop.signal);
    if (answer === "fenced") this.abandon();
    if (answer !== "open") return;
    this.#isOpen = true;
    this.update(this.#redrives);
  }

  #begin(redrive: Redrive): void {
    const run = new RedriveRun(this.#context, redrive, this.#places);
    const ended = run.run().finally(() => this.#runs.delete(redrive.id));
    this.#runs.set(redrive.id, { run, ended });
  }

  #tellLeft(redriveId: string, items: number): void {
    if (items === 0) this.#left.delete(redriveId);
    else this.#left.set(redriveId, items);
    const { telemetry, mapping } = this.#context;
    telemetry.gauge("redrives_running", mapping.name, this.#left.size);
    const left = [...this.#left.values()].reduce((sum, each) => sum + each, 0);
    telemetry.gauge("redrive_left_events", mapping.name, left);
  }

  readonly #places: DrainPlaces = {
    take: (redriveId, ownMax) => {
      const own = this.#taken.get(redriveId) ?? 0;
      let all = 0;
      for (const taken of this.#taken.values()) all += taken;
      // plant: more-keys-are-drained-at-once-than-may-be
      if (own >= ownMax || all >= KEYS_AT_ONCE) return false;
      this.#taken.set(redriveId, own + 1);
      return true;
    },
    give: (redriveId) => {
      const left = (this.#taken.get(redriveId) ?? 0) - 1;
      if (left > 0) this.#taken.set(redriveId, left);
      else this.#taken.delete(redriveId);
    },
  };
}
