import type { RedriveItem } from "../../../src/model/redrive.ts";

/** One call of the function, as the function saw it. */
export interface SeenCall {
  readonly process: string;
  readonly requestId: string;
  readonly items: readonly RedriveItem[];
  readonly startMs: number;
  /** `undefined`: it runs. */
  outcome: "succeeded" | "failed" | "timedOut" | undefined;
  /** A process that lived has heard of the outcome. */
  isTold: boolean;
}

export interface LedgerRules {
  readonly isAtMostOnce: boolean;
  readonly keysAtOnceMax: number;
  violated(what: string): void;
}

/** What the function saw of each item: R2 and R3 are judged as calls begin. */
export class RedriveLedger {
  readonly calls: SeenCall[] = [];
  readonly #rules: LedgerRules;
  readonly #items: readonly RedriveItem[];
  readonly #lastCall = new Map<string, SeenCall>();
  readonly succeeded = new Set<string>();
  /** Somebody wants them once more though nobody knows what became of them. */
  readonly #wanted = new Set<string>();

  constructor(items: readonly RedriveItem[], rules: LedgerRules) {
    this.#items = items;
    this.#rules = rules;
  }

  retried(ids: readonly string[]): void {
    for (const id of ids) this.#wanted.add(id);
  }

  started(call: SeenCall): void {
    const running = this.calls.filter(({ outcome }) => outcome === undefined);
    const own = running.filter(({ process }) => process === call.process).length;
    if (own >= this.#rules.keysAtOnceMax)
      this.#rules.violated(`R4: ${call.process} runs ${own + 1} calls at once`);
    for (const item of call.items) {
      this.#checkOnce(item, call);
      this.#checkOrder(item, call, running);
      this.#lastCall.set(item.id, call);
    }
    this.calls.push(call);
  }

  ended(call: SeenCall, outcome: NonNullable<SeenCall["outcome"]>): void {
    call.outcome = outcome;
    if (outcome === "succeeded") for (const { id } of call.items) this.succeeded.add(id);
  }

  #checkOnce({ id }: RedriveItem, { requestId }: SeenCall): void {
    const before = this.#lastCall.get(id);
    if (before === undefined) return;
    // A time-out that was told is a failure like any other where items may come twice: halves have ids of their own.
    const isFailure =
      before.outcome === "failed" || (!this.#rules.isAtMostOnce && before.outcome === "timedOut");
    if (isFailure && before.isTold) return;
    if (before.requestId !== requestId)
      this.#rules.violated(`R2: ${id} comes again under another request id`);
    if (!this.#rules.isAtMostOnce || this.#wanted.delete(id)) return;
    const what = before.outcome ?? "running";
    this.#rules.violated(`R2: ${id} starts again after a call that nobody knows the end of (${what})`);
  }

  #checkOrder(item: RedriveItem, call: SeenCall, running: readonly SeenCall[]): void {
    if (item.key === undefined) return;
    for (const before of this.#items) {
      if (before === item) break;
      if (before.key !== item.key || before.element === undefined) continue;
      if (!this.succeeded.has(before.id) && !call.items.includes(before))
        this.#rules.violated(`R3: ${item.id} starts before ${before.id} is done`);
    }
    if (!this.#rules.isAtMostOnce) return;
    if (running.some(({ items }) => items.some(({ key }) => key === item.key)))
      this.#rules.violated(`R3: two calls run with items of the key ${item.key}`);
  }
}
