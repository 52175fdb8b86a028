import PQueue from "p-queue";
import { plainCode } from "../../src/aws/fault.ts";
import { assertInvariant } from "../../src/model/errors.ts";
import type {
  QueueDescription,
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../../src/ports/queue-source.ts";
import { DESCRIBED_AGAIN_MS, DescribedQueue } from "./described-queue.ts";
import { asSqs, createMessageFactory, createSqsEvents } from "./event.ts";
import { GatheredDeletes } from "./gathered-deletes.ts";
import type { QueueArn } from "./queue-arn.ts";
import { ENTRIES_MAX, type EntryFault, type SqsApi } from "./sqs-api.ts";

const WAIT_SECONDS_MAX = 20;
/** SQS's own bound of every visibility time-out: twelve hours. */
const VISIBILITY_SECONDS_MAX = 43_200;
/** Batch calls of settlements at once: a batch of 10,000 messages is a thousand of them. */
const SETTLING_CALLS_MAX = 32;

export interface SqsSourceTimes {
  /** Monotonic. */
  readonly nowMs?: () => number;
  /** How old the queue's attributes may be. */
  readonly describedAgainMs?: number;
}

/** Reads the queue's attributes. @throws ERR_MILLRACE_SOURCE_NOT_FOUND and its siblings; the API is then closed. */
export async function openSqsSource(
  arn: QueueArn,
  hasBatchingWindow: boolean,
  api: SqsApi,
  { nowMs = () => performance.now(), describedAgainMs = DESCRIBED_AGAIN_MS }: SqsSourceTimes = {},
): Promise<QueueSource> {
  try {
    const closing = new AbortController();
    const attributes = await api.queueAttributes(closing.signal);
    const options = { arn, api, signal: closing.signal, nowMs, againMs: describedAgainMs };
    const toMessage = createMessageFactory(arn, hasBatchingWindow);
    return new SqsSource(api, new DescribedQueue(options, attributes), toMessage, closing);
  } catch (error) {
    api.close();
    throw error;
  }
}

class SqsSource implements QueueSource {
  readonly events = createSqsEvents();
  readonly #api: SqsApi;
  readonly #described: DescribedQueue;
  readonly #toMessage: ReturnType<typeof createMessageFactory>;
  readonly #closing: AbortController;
  readonly #settling = new PQueue({ concurrency: SETTLING_CALLS_MAX });
  readonly #deletes: GatheredDeletes;

  constructor(
    api: SqsApi,
    described: DescribedQueue,
    toMessage: ReturnType<typeof createMessageFactory>,
    closing: AbortController,
  ) {
    this.#api = api;
    this.#described = described;
    this.#toMessage = toMessage;
    this.#closing = closing;
    this.#deletes = new GatheredDeletes({
      deleteBatch: (receiptHandles) => this.#inTurn(() => this.#api.deleteBatch(receiptHandles)),
      settlementOf,
      isOrdered: described.now.isFifo,
    });
  }

  get description(): QueueDescription {
    return this.#described.now;
  }

  async receive(wanted: ReceiveBounds, signal: AbortSignal): Promise<readonly QueueMessage[]> {
    const request = {
      messagesMax: Math.min(wanted.messagesMax, ENTRIES_MAX),
      waitSeconds: waitSeconds(wanted.waitMs),
      visibilitySeconds: Math.min(toSeconds(wanted.holdMs), VISIBILITY_SECONDS_MAX),
    };
    if (signal.aborted) return [];
    // Not ended by the caller: SQS would hand messages to a connection that is gone, hidden and a receive spent. The
    // answer comes, at the latest when the wait is over.
    const messages = await this.#watched(async () => {
      const described = this.#described.lookAgain();
      if (described !== undefined) await described;
      if (signal.aborted) return [];
      // plant: a-receive-that-waits-at-sqs-is-cut-off-when-no-more-is-wanted
      // plant: a-restart-storm-with-receives-that-are-cut-off-by-a-stop
      return await this.#api.receive(request, this.#closing.signal);
    });
    return messages.map(this.#toMessage);
  }

  acknowledge(messages: readonly QueueMessage[]): Promise<readonly Settlement[]> {
    return this.#deletes.delete(messages.map((message) => asSqs(message).receiptHandle));
  }

  release(messages: readonly QueueMessage[], delayMs: number): Promise<readonly Settlement[]> {
    return this.#changeVisibility(messages, delayMs);
  }

  extend(messages: readonly QueueMessage[], holdMs: number): Promise<readonly Settlement[]> {
    return this.#changeVisibility(messages, holdMs);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#api.close();
  }

  /** A queue that is not found may be another one when it is found again. */
  async #watched<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#described.failed(error);
      throw error;
    }
  }

  #changeVisibility(messages: readonly QueueMessage[], ms: number): Promise<readonly Settlement[]> {
    const seconds = Math.min(toSeconds(ms), VISIBILITY_SECONDS_MAX);
    return this.#settle(messages, (receiptHandles) =>
      this.#api.changeVisibilityBatch(receiptHandles, seconds),
    );
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    return this.#settling.add(() => this.#watched(call));
  }

  /** In batch calls. One that fails leaves its messages `failed`; when all of them fail, so does this. */
  async #settle(
    messages: readonly QueueMessage[],
    call: (receiptHandles: readonly string[]) => Promise<ReadonlyMap<number, EntryFault>>,
  ): Promise<readonly Settlement[]> {
    const chunks = chunksOf(messages.map((message) => asSqs(message).receiptHandle));
    const results = await Promise.allSettled(chunks.map((chunk) => this.#inTurn(() => call(chunk))));
    const [first] = results;
    if (first?.status === "rejected" && results.every(({ status }) => status === "rejected")) {
      throw first.reason;
    }
    return results.flatMap((result, index) => {
      const size = chunks[index]?.length ?? 0;
      if (result.status === "rejected") return Array<Settlement>(size).fill("failed");
      return Array.from({ length: size }, (_, place) => settlementOf(result.value.get(place)));
    });
  }
}

function settlementOf(fault: EntryFault | undefined): Settlement {
  if (fault === undefined) return "settled";
  return isHoldLost(fault) ? "lost" : "failed";
}

/**
 * SQS has a code of its own for a receipt, and says of others by the text of `InvalidParameterValue` that they ended.
 */
function isHoldLost({ code, message }: EntryFault): boolean {
  const name = plainCode(code);
  if (name === "ReceiptHandleIsInvalid" || name === "MessageNotInflight") return true;
  return (
    /^InvalidParameterValue/.test(name) &&
    /receipt handle has expired|not available for visibility/i.test(message)
  );
}

function chunksOf(receiptHandles: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(receiptHandles.length / ENTRIES_MAX) }, (_, index) =>
    receiptHandles.slice(index * ENTRIES_MAX, (index + 1) * ENTRIES_MAX),
  );
}

/**
 * SQS counts in whole seconds. Rounded down, as the caller counts on no longer wait; but a short poll would ask again
 * at once, for ever.
 */
function waitSeconds(ms: number): number {
  if (ms === 0) return 0;
  return Math.min(Math.max(1, Math.floor(ms / 1000)), WAIT_SECONDS_MAX);
}

/** Rounded up: a hold must not end before the engine thinks. */
function toSeconds(ms: number): number {
  assertInvariant(ms >= 0, "A wait or hold of an SQS call is negative");
  return Math.ceil(ms / 1000);
}
