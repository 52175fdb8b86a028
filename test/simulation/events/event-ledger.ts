import type { NewAsyncItem } from "../../../src/model/async-item.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { AsyncItem } from "../../../src/ports/async-queue.ts";
import { SINK } from "./event-functions.ts";
import type { EventProcess } from "./event-process.ts";

/** One call of an event's function, as the function saw it. */
export interface Run {
  readonly process: EventProcess;
  readonly startMs: number;
  /** What its process knew of the function when it started. */
  readonly wasZero: boolean;
  readonly knownSinceMs: number;
  endMs?: number;
  outcome?: InvocationOutcome["kind"];
}

export type SettlementKind = "retry" | "release" | "finish";

/** One time that an item was handed out, as the queue saw it. */
export interface Hold {
  readonly receipt: string;
  readonly process: EventProcess;
  readonly startMs: number;
  untilMs: number;
  settled?: SettlementKind;
  settledMs?: number;
  readonly runs: Run[];
  /** Its process knew that nothing of the function may start when the item reached it, behind `startMs`. */
  wasZero: boolean;
}

/** All that befell an item of the queue. */
export interface Item {
  readonly id: string;
  readonly lane: string;
  readonly kind: NewAsyncItem["kind"];
  /** Of what is handed on to a function: nobody looks at others. */
  readonly body: string;
  readonly bytes: number;
  readonly putMs: number;
  readonly holds: Hold[];
  /** Its caller was told that it is kept. */
  acceptedMs?: number;
  endedMs?: number;
  next: readonly NewAsyncItem[];
  /** Conditions under which it was given up, as each process told: one whose hold was lost may tell it as well. */
  readonly conditions: Map<EventProcess, string>;
  /** How often a destination took it. */
  taken: number;
  /** A destination took it and could not say so. */
  isTakenUnheard: boolean;
}

/** What queue, functions and destinations saw. */
export class EventLedger {
  readonly items = new Map<string, Item>();
  readonly violations: string[] = [];

  onPut(item: NewAsyncItem, nowMs: number): void {
    if (this.items.has(item.id)) return;
    const { id, lane, kind } = item;
    const body = lane === `f:${SINK}` ? Buffer.from(item.body).toString() : "";
    this.items.set(id, {
      ...{
        id,
        lane,
        kind,
        body,
        bytes: item.body.length,
        putMs: nowMs,
        holds: [],
        conditions: new Map(),
        next: [],
        taken: 0,
        isTakenUnheard: false,
      },
    });
  }

  onReceived(item: AsyncItem, process: EventProcess, nowMs: number, holdMs: number): void {
    this.#of(item.id).holds.push({
      ...{
        receipt: item.receipt,
        process,
        startMs: nowMs,
        untilMs: nowMs + holdMs,
        runs: [],
        wasZero: false,
      },
    });
  }

  /** It is in the hands of who asked for it. */
  onInHand(item: AsyncItem): void {
    const hold = this.#holdOf(item);
    if (hold !== undefined) hold.wasZero = isZero(hold.process, item.lane.slice(2));
  }

  onExtended(item: AsyncItem, untilMs: number): void {
    const hold = this.#holdOf(item);
    if (hold !== undefined) hold.untilMs = untilMs;
  }

  onSettled(item: AsyncItem, kind: SettlementKind, next: readonly NewAsyncItem[], nowMs: number): void {
    const hold = this.#holdOf(item);
    if (hold === undefined) return;
    hold.settled = kind;
    hold.settledMs = nowMs;
    if (kind !== "finish") return;
    const ended = this.#of(item.id);
    ended.endedMs = nowMs;
    ended.next = next;
  }

  /** `undefined`: nobody was handed an item of this id. */
  holdOf(id: string, process: EventProcess): Hold | undefined {
    return this.items.get(id)?.holds.findLast((hold) => hold.process === process);
  }

  breach(invariant: string, what: string): void {
    this.violations.push(`${invariant}: ${what}`);
  }

  #of(id: string): Item {
    const item = this.items.get(id);
    if (item === undefined) throw new Error(`${id} was never put`);
    return item;
  }

  #holdOf(item: AsyncItem): Hold | undefined {
    return this.#of(item.id).holds.find(({ receipt }) => receipt === item.receipt);
  }
}

/** Nothing of it may start, as far as this process knows. */
export function isZero(process: EventProcess, name: string): boolean {
  const fn = process.known.find((each) => each.name === name);
  return fn !== undefined && fn.concurrency === 0;
}

/** Holds that ended without a settlement: each may have an item run once more. */
export function lostHolds({ holds }: Item): number {
  return holds.filter(({ settled }) => settled === undefined).length;
}
