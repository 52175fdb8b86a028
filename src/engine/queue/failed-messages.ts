import type { AttemptFailure, FailedMessage } from "../explanation.ts";
import type { HeldMessage } from "./held-message.ts";

const KEPT_MAX = 100;

/** The last messages that failed here and are left to their queue: it says of none of them why it is not there. */
export class FailedMessages {
  #kept: {
    readonly held: HeldMessage;
    readonly problem: string;
    readonly errorId: string | undefined;
    readonly failure: AttemptFailure | undefined;
  }[] = [];

  add(left: readonly HeldMessage[], problem: string, errorId?: string, failure?: AttemptFailure): void {
    const kept = left.slice(-KEPT_MAX).map((held) => ({ held, problem, errorId, failure }));
    this.#kept = [...this.#kept, ...kept].slice(-KEPT_MAX);
  }

  /** Those that are hidden yet. `epochMs` tells the time of a monotonic one. */
  explain(nowMs: number, epochMs: (monotonicMs: number) => number): readonly FailedMessage[] {
    this.#kept = this.#kept.filter(({ held }) => held.holdUntilMs > nowMs);
    return this.#kept.map(({ held: { message, holdUntilMs }, problem, errorId, failure }) => ({
      messageId: message.messageId,
      group: message.groupId,
      receiveCount: message.receiveCount,
      problem,
      errorId,
      failure,
      againMs: epochMs(holdUntilMs),
    }));
  }
}
