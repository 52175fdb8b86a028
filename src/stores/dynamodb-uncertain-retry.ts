import type { Redrive } from "../model/redrive.ts";
import type { ParkingWork } from "./dynamodb-parking-work.ts";
import { hasRetriable, retryEntries } from "./parked-queue.ts";

/**
 * Has uncertain items of a redrive wait again, queue after queue: each with the redrive itself, so that it runs when
 * something waits. Whoever asks again goes on where a crash has ended it.
 */
export class UncertainRetry {
  readonly #work: ParkingWork;
  readonly #id: string;
  readonly #seenVersion: number;

  constructor(work: ParkingWork, id: string, seenVersion: number) {
    this.#work = work;
    this.#id = id;
    this.#seenVersion = seenVersion;
  }

  /** `names`: of queues with uncertain items. `undefined`: the redrive is not there, or was cancelled. */
  async run(names: () => Promise<readonly string[]>): Promise<Redrive | "stale" | undefined> {
    const seen = await this.#work.header(this.#id);
    if (seen === undefined || seen.redrive.state === "cancelled") return undefined;
    if (seen.redrive.version !== this.#seenVersion) return "stale";
    let { redrive } = seen;
    if (redrive.isConcluded) return redrive;
    for (const name of await names()) {
      const { version } = redrive;
      const answer = await this.#work.inTurn(this.#id, () => this.#retry(name, version));
      if (answer === "stale") return version === this.#seenVersion ? answer : redrive;
      redrive = answer ?? redrive;
    }
    return redrive;
  }

  /** `undefined`: nothing of the queue is to be retried. `stale`: others have changed the redrive. */
  async #retry(name: string, version: number): Promise<Redrive | "stale" | "overtaken" | undefined> {
    const seen = await this.#work.header(this.#id);
    const held = await this.#work.queue(this.#id, name);
    if (seen === undefined || seen.redrive.state === "cancelled") return "stale";
    const { redrive } = seen;
    const isFirst = version === this.#seenVersion;
    if (isFirst ? redrive.version !== version : redrive.version < version) return "stale";
    if (!hasRetriable(held.queue)) return undefined;
    retryEntries(held.queue);
    // Who drains may have finished it between two queues.
    const isDone = redrive.state === "done";
    const next = {
      ...redrive,
      ...(isDone ? { state: "running" as const } : {}),
      endedMs: undefined,
      version: redrive.version + (isFirst || isDone ? 1 : 0),
    };
    const written = await this.#work.write({ seen, next: { ...seen, redrive: next }, queues: [held] });
    return written === "written" ? next : written;
  }
}
