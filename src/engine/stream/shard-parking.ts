import { liveUntilMs } from "../../leases/lease.ts";
import { backoffMs } from "../../lib/back-off.ts";
import { sleep } from "../../lib/sleep.ts";
import { describeError } from "../../model/errors.ts";
import type { ParkingCause } from "../../model/parked-key.ts";
import type { ParkedPut, PutAnswer, ShardWriter } from "../../ports/parked-keys.ts";
import type { BatchParking } from "./batch-parking.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { HeldKey, type Waiting, waitingOf } from "./held-key.ts";
import type { ShardParkingOptions } from "./parking-surroundings.ts";

interface Create {
  readonly key: string;
  readonly waiting: readonly Waiting[];
  readonly cause: ParkingCause;
  readonly parkedMs: number;
  readonly followers: () => readonly BufferedRecord[];
  answer(answer: "parked" | "full" | "stopped"): void;
}

/** Bounds of one put. */
const PUT_RECORDS_MAX = 500;
const PUT_BYTES_MAX = 4 * 1024 * 1024;
/** How often it is asked whether there is room again. */
const FULL_LOOK_MS = 1_000;

/**
 * The way of a shard's records to their parked keys: one call to the store at a time, each with as much as waits.
 * Records stay open until the store has them, so that no checkpoint passes what is not durable.
 */
export class ShardParking implements BatchParking {
  readonly #options: ShardParkingOptions;
  readonly #keys = new Map<string, HeldKey>();
  readonly #creates: Create[] = [];
  #fence = 0;
  #attempt = 0;
  #isRunning = false;
  #isFull = false;
  /** Resolved when nothing waits to be put, or what does has no room. */
  #whenIdle: (() => void)[] = [];

  constructor(options: ShardParkingOptions) {
    this.#options = options;
  }

  get whenFull(): BatchParking["whenFull"] {
    return this.#options.parking.whenFull;
  }

  get isShut(): boolean {
    return this.#options.parking.guard.isShut;
  }

  succeeded(): void {
    this.#options.parking.guard.succeeded();
  }

  /**
   * Fences whoever had the shard before, then hears what is parked: what a zombie put is seen, what it puts later is
   * refused. A late call of our own may fence the next owner, so the lease must be renewed behind it. `false`: stopped.
   */
  async open(): Promise<boolean> {
    const { environment, parking, lease, stopSignal } = this.#options;
    const { clock, mapping, settings } = environment;
    const opened = await this.#untilAnswered(
      () => parking.store.open(mapping.uuid, lease.shardId),
      stopSignal,
    );
    if (opened === undefined) return false;
    this.#fence = opened.fence;
    // plant: a-shard-begins-without-what-is-parked
    for (const parked of opened.keys)
      this.#keys.set(parked.key, new HeldKey(parked, this.#log, this.#compare));
    const openedMs = clock.monotonic();
    while (lease.liveUntilMs < liveUntilMs(openedMs, settings))
      if (!(await sleep(clock, settings.leaseRenewalMs / 4, stopSignal))) return false;
    return true;
  }

  /** Takes a record that was just read, where its key is parked and it can be. */
  take(buffered: BufferedRecord): boolean {
    if (this.#keys.size === 0) return false;
    const { key } = buffered.record;
    const held = key === undefined ? undefined : this.#keys.get(key);
    const waiting = held && this.#waitingOf(buffered);
    // What no function can have is never parked, so that what is parked says nothing of it.
    if (held === undefined || waiting === undefined) return false;
    // plant: parked-records-that-are-read-again-are-parked-again
    if (held.has(buffered.record.position)) return this.#passOver(buffered);
    // plant: what-is-parked-is-settled-before-it-is-durable
    held.push(waiting);
    this.#wake();
    return true;
  }

  async park(
    key: string,
    records: readonly BufferedRecord[],
    cause: ParkingCause,
    followers: () => readonly BufferedRecord[],
  ): Promise<"parked" | "full" | "stopped"> {
    const { closeSignal, parking, environment } = this.#options;
    if (closeSignal.aborted) return "stopped";
    const waiting = records.flatMap((buffered) => this.#waitingOf(buffered) ?? []);
    if (waiting.length < records.length) return "full";
    parking.guard.parked();
    return await new Promise((answer) => {
      const parkedMs = environment.clock.now();
      this.#creates.push({ key, waiting, cause, parkedMs, followers, answer });
      this.#wake();
    });
  }

  /** Resolves when nothing waits, or what waits has no room; or with the shard's end. */
  async idle(): Promise<void> {
    if (!this.#isRunning || this.#isFull || this.#options.closeSignal.aborted) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Nobody waits for it any more. */
  close(): void {
    for (const { answer } of this.#creates.splice(0)) answer("stopped");
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #passOver(buffered: BufferedRecord): true {
    this.#options.environment.telemetry.mark("parked record read again");
    this.#options.settle([buffered]);
    return true;
  }

  #waitingOf(buffered: BufferedRecord): Waiting | undefined {
    const { environment, lease } = this.#options;
    const { source, settings } = environment;
    return waitingOf(buffered, source, lease.shardId, settings.payloadBytesMax);
  }

  // One call after the other.

  #wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#putAll().catch((error: unknown) => this.#options.onDefect(error));
  }

  /** Until nothing waits, or the shard is closed; at a stop what has no room is left. */
  async #putAll(): Promise<void> {
    const { stopSignal, closeSignal, environment } = this.#options;
    while (!closeSignal.aborted) {
      const [create] = this.#creates;
      const puts = create === undefined ? this.#nextPuts() : [];
      if (create === undefined && puts.length === 0) break;
      if (create !== undefined) await this.#create(create);
      else await this.#append(puts);
      if (!this.#isFull || this.#creates.length > 0) continue;
      this.#tellIdle();
      if (stopSignal.aborted || !(await sleep(environment.clock, FULL_LOOK_MS, stopSignal))) break;
    }
    this.#isRunning = false;
    this.#tellIdle();
  }

  async #create(create: Create): Promise<void> {
    const { parking, closeSignal } = this.#options;
    const { key, cause, parkedMs, waiting } = create;
    const entries = waiting.map(({ entry }) => entry);
    const made = { key, log: this.#log, entries, cause, parkedMs };
    const answer = await this.#untilAnswered(
      () => parking.store.create(this.#writer(), made, parking.bounds),
      closeSignal,
    );
    if (answer === undefined) return;
    if (answer === "fenced") return this.#fenced();
    this.#creates.shift();
    if (answer.kind === "full" || answer.kind === "notParked") return create.answer("full");
    // From here to its end nothing else runs: what is read next must find all that was read before it in line.
    const held = new HeldKey(answer.key, this.#log, this.#compare);
    this.#keys.set(key, held);
    const isThere = answer.kind === "parked";
    if (!isThere) for (const each of waiting) held.push(each);
    const put = isThere ? waiting.map(({ buffered }) => buffered) : held.takePut();
    // plant: followers-in-the-batcher-are-forgotten
    this.#follow(held, [...create.followers(), ...this.#options.takeWaiting(key)]);
    this.#options.environment.telemetry.mark("key parked");
    this.#options.settle(put);
    create.answer("parked");
  }

  /** What no function can have goes to its lane: it is given up there, alone. */
  #follow(held: HeldKey, followers: readonly BufferedRecord[]): void {
    const unfit: BufferedRecord[] = [];
    for (const buffered of followers) {
      const waiting = this.#waitingOf(buffered);
      if (waiting === undefined) unfit.push(buffered);
      else held.push(waiting);
    }
    if (unfit.length > 0) this.#options.giveBack(unfit);
  }

  /** As much as one call takes of all keys that wait, in order of each. */
  #nextPuts(): readonly ParkedPut[] {
    const puts: ParkedPut[] = [];
    let records = 0;
    let bytes = 0;
    for (const { key, tailVersion, waiting } of this.#keys.values()) {
      let count = 0;
      for (const { entry } of waiting) {
        const isTooMuch = records === PUT_RECORDS_MAX || bytes + entry.element.length > PUT_BYTES_MAX;
        if (records > 0 && isTooMuch) break;
        records += 1;
        bytes += entry.element.length;
        count += 1;
      }
      const entries = waiting.slice(0, count).map(({ entry }) => entry);
      if (count > 0) puts.push({ key, log: this.#log, tailVersion, entries });
    }
    return puts;
  }

  async #append(puts: readonly ParkedPut[]): Promise<void> {
    const { parking, closeSignal } = this.#options;
    const answers = await this.#untilAnswered(
      () => parking.store.append(this.#writer(), puts, parking.bounds),
      closeSignal,
    );
    if (answers === undefined) return;
    if (answers === "fenced") return this.#fenced();
    this.#isFull = answers.every(({ kind }) => kind === "full");
    if (this.#isFull) this.#options.environment.telemetry.mark("parking full blocked");
    for (const [index, answer] of answers.entries()) {
      const put = puts[index];
      const held = put && this.#keys.get(put.key);
      if (put !== undefined && held !== undefined) this.#answered(held, put.entries.length, answer);
    }
  }

  #answered(held: HeldKey, count: number, answer: PutAnswer): void {
    const { settle, giveBack, environment } = this.#options;
    switch (answer.kind) {
      case "parked":
        environment.telemetry.mark("follower parked");
        // plant: what-was-put-is-settled
        settle(held.put(count, answer.key));
        return;
      case "stale":
        environment.telemetry.mark("parked behind another tail");
        settle(held.sees(answer.key, this.#log));
        return;
      case "notParked":
        environment.telemetry.mark("append refused after close");
        this.#keys.delete(held.key);
        giveBack(held.takeAll());
        return;
      case "full":
        // plant: what-has-no-room-is-settled
        return;
    }
  }

  #writer(): ShardWriter {
    const { environment, lease } = this.#options;
    const { uuid } = environment.mapping;
    return { mapping: uuid, shardId: lease.shardId, fence: this.#fence, attempt: ++this.#attempt };
  }

  #fenced(): void {
    this.#options.environment.telemetry.mark("zombie append fenced");
    this.#options.onFenced();
  }

  get #log(): string {
    const { lease, logId } = this.#options;
    const id = logId();
    return id === undefined ? lease.shardId : `${lease.shardId} ${id}`;
  }

  readonly #compare = (a: string, b: string) => this.#options.environment.source.comparePositions(a, b);

  /** The store is asked again for as long as it fails, whatever became of the call. `undefined`: stopped. */
  async #untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const { clock, settings, random, lines, mapping } = this.#options.environment;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const answer = await ask();
        return signal.aborted ? undefined : answer;
      } catch (error) {
        const fields = { mapping: mapping.name, shardId: this.#options.lease.shardId };
        const message = "records could not be parked; trying again";
        lines.write("warn", message, { ...fields, error: describeError(error) });
      }
      await sleep(clock, backoffMs(failures, settings, random), signal);
    }
    return undefined;
  }
}
