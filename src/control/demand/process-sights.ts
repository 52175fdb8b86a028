import type { Clock } from "../../ports/clock.ts";
import type { ResourceStore } from "../../ports/resource-store.ts";
import type { SnapshotStore } from "../../ports/snapshot-store.ts";
import { processOfLog } from "../logs/log-document.ts";
import { ProcessBook } from "../process-book.ts";
import { GONE_MS } from "../process-life.ts";
import type { ProcessSnapshot } from "../process-snapshot.ts";
import { readSnapshot } from "../snapshot-document.ts";
import { ASKED_FOR_MS } from "../snapshot-publisher.ts";
import type { ProcessDemand } from "./demand.ts";

export interface ProcessSightsOptions {
  readonly store: Pick<ResourceStore, "processes">;
  readonly snapshots: Pick<SnapshotStore, "read" | "ask">;
  readonly clock: Clock;
}

/** A process that lives, with what it said last. */
export interface SeenLife {
  readonly demand: ProcessDemand;
  readonly snapshot: ProcessSnapshot | undefined;
}

/** A question counts for half a minute. */
const ASK_AGAIN_MS = 10_000;
/** While somebody asks, a process speaks every two seconds: so long without a word, nobody knows what it does. */
export const HEARD_MS = 10_000;

/** The processes of a store, as one sees them who is none of them. */
export class ProcessSights {
  readonly #options: ProcessSightsOptions;
  readonly #book = new ProcessBook(GONE_MS);
  #askedMs = Number.NEGATIVE_INFINITY;
  /** By beat: the word that was heard last, and when it was first seen, by the monotonic clock. */
  #heard = new Map<string, { readonly atMs: number; readonly seenMs: number }>();

  constructor(options: ProcessSightsOptions) {
    this.#options = options;
  }

  /** Those that live. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  async look(): Promise<readonly SeenLife[]> {
    const { store, clock } = this.#options;
    await this.#ask();
    const askedMs = clock.monotonic();
    const sights = await store.processes();
    const nowMs = clock.monotonic();
    this.#book.observe(sights, askedMs, nowMs);
    const words = await this.#words();
    const lives = this.#book.names.map((name) => this.#life(name, words.get(name), nowMs));
    const living = new Set(this.#book.names);
    for (const name of this.#heard.keys()) if (!living.has(name)) this.#heard.delete(name);
    return lives;
  }

  /** Has processes say every two seconds how they are. */
  async #ask(): Promise<void> {
    const { snapshots, clock } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#askedMs < ASK_AGAIN_MS) return;
    await snapshots.ask(Math.round(clock.now()) + ASKED_FOR_MS);
    this.#askedMs = nowMs;
  }

  async #words(): Promise<ReadonlyMap<string, ProcessSnapshot>> {
    const stored = await this.#options.snapshots.read();
    return new Map(
      stored.flatMap(({ processId, document }) => {
        const snapshot = processOfLog(processId) === undefined ? readSnapshot(document) : undefined;
        return snapshot === undefined ? [] : [[snapshot.beatsAs, snapshot] as const];
      }),
    );
  }

  #life(processId: string, snapshot: ProcessSnapshot | undefined, nowMs: number): SeenLife {
    const before = this.#heard.get(processId);
    if (snapshot !== undefined && before?.atMs !== snapshot.atMs)
      this.#heard.set(processId, { atMs: snapshot.atMs, seenMs: nowMs });
    const seenMs = this.#heard.get(processId)?.seenMs ?? Number.NEGATIVE_INFINITY;
    const isHeard = nowMs - seenMs <= HEARD_MS;
    const calls = (snapshot?.calls ?? []).map(({ fn, running, waiting }) => {
      return { functionName: fn, count: running + waiting };
    });
    return { snapshot, demand: { processId, isHeard, holdsWork: snapshot?.holdsWork ?? true, calls } };
  }
}
