import { hasErrorCode, MillraceError } from "../../src/model/errors.ts";
import type { QueueDescription } from "../../src/ports/queue-source.ts";
import type { QueueArn } from "./queue-arn.ts";
import { ENTRIES_MAX, type SqsApi } from "./sqs-api.ts";

export const KIND = "sqs";

/** How old what a queue said of itself may be when it is used. */
export const DESCRIBED_AGAIN_MS = 60_000;

export interface DescribedQueueOptions {
  readonly arn: QueueArn;
  readonly api: SqsApi;
  readonly signal: AbortSignal;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly againMs: number;
}

/**
 * What the queue says of itself. Its owner may change its visibility time-out at any time, or remove the queue and make
 * another one of its name: so it is asked again once a minute, and before anything else where it was not found. How
 * often a message may be received is the queue's own business: nothing here counts on it.
 */
export class DescribedQueue {
  readonly #options: DescribedQueueOptions;
  #description: QueueDescription;
  #askedMs: number;
  #asking: Promise<void> | undefined;
  /** It was not there: what it said of itself may be another queue's word. */
  #isDoubted = false;

  constructor(options: DescribedQueueOptions, attributes: Readonly<Record<string, string>>) {
    this.#options = options;
    this.#description = describe(options.arn, attributes);
    this.#askedMs = options.nowMs();
  }

  get now(): QueueDescription {
    return this.#description;
  }

  /**
   * Before a receive, which waits for what this returns: for a queue that was not found before, and rejects as long as
   * it is not.
   */
  lookAgain(): Promise<void> | undefined {
    const { nowMs, againMs } = this.#options;
    if (this.#isDoubted) return this.#ask();
    // What it said last holds until it says something else; a queue that is away is told by its receives.
    // plant: what-an-sqs-queue-says-of-itself-when-it-is-opened-is-believed-for-ever
    if (nowMs() - this.#askedMs >= againMs) this.#ask().catch(() => undefined);
    return undefined;
  }

  /** Any call may have failed. */
  failed(error: unknown): void {
    // plant: an-sqs-queue-that-is-found-again-is-taken-for-the-one-that-was-there-before
    if (hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND")) this.#isDoubted = true;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askOnce(): Promise<void> {
    const { arn, api, signal, nowMs } = this.#options;
    this.#askedMs = nowMs();
    this.#description = describe(arn, await api.queueAttributes(signal));
    this.#isDoubted = false;
  }
}

function describe(arn: QueueArn, attributes: Readonly<Record<string, string>>): QueueDescription {
  return {
    kind: KIND,
    eventSourceArn: arn.arn,
    // By the name, as SQS itself has it: a queue of this name can be nothing else.
    isFifo: arn.isFifo,
    visibilityMs: visibilitySeconds(attributes, arn) * 1000,
    receiveMessagesMax: ENTRIES_MAX,
    deadLetter: deadLetterOf(attributes["RedrivePolicy"]),
  };
}

/** Told to people, and counted on by nobody: a policy that cannot be read is none. */
function deadLetterOf(policy: string | undefined): QueueDescription["deadLetter"] {
  try {
    const value: unknown = JSON.parse(policy ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    if (!("deadLetterTargetArn" in value && "maxReceiveCount" in value)) return undefined;
    const [queue, receivesMax] = [String(value.deadLetterTargetArn), Number(value.maxReceiveCount)];
    return Number.isInteger(receivesMax) && receivesMax > 0 ? { queue, receivesMax } : undefined;
  } catch {
    return undefined;
  }
}

function visibilitySeconds(attributes: Readonly<Record<string, string>>, { arn }: QueueArn): number {
  const seconds = Number(attributes["VisibilityTimeout"] ?? Number.NaN);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `sqs:GetQueueAttributes on ${arn} named no visibility time-out. If an endpoint override is set, look at what answers there.`,
  );
}
