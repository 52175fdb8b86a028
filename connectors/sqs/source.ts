import PQueue from "p-queue";
import { plainCode } from "../../src/aws/fault.ts";
import { assertInvariant, MillraceError } from "../../src/model/errors.ts";
import type {
  QueueDescription,
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../../src/ports/queue-source.ts";
import { asSqs, createMessageFactory, createSqsEvents } from "./event.ts";
import type { QueueArn } from "./queue-arn.ts";
import { ENTRIES_MAX, type EntryFault, type SqsApi } from "./sqs-api.ts";

export const KIND = "sqs";

const WAIT_SECONDS_MAX = 20;
/** SQS's own bound of every visibility time-out: twelve hours. */
const VISIBILITY_SECONDS_MAX = 43_200;
/** Batch calls of settlements at once: a batch of 10,000 messages is a thousand of them. */
const SETTLING_CALLS_MAX = 32;

/** Reads the queue's attributes. @throws ERR_MILLRACE_SOURCE_NOT_FOUND and its siblings; the API is then closed. */
export async function openSqsSource(
  arn: QueueArn,
  hasBatchingWindow: boolean,
  api: SqsApi,
): Promise<QueueSource> {
  try {
    const attributes = await api.queueAttributes(new AbortController().signal);
    return new SqsSource(arn, attributes, hasBatchingWindow, api);
  } catch (error) {
    api.close();
    throw error;
  }
}

class SqsSource implements QueueSource {
  readonly description: QueueDescription;
  readonly events = createSqsEvents();
  readonly #api: SqsApi;
  readonly #toMessage: ReturnType<typeof createMessageFactory>;
  readonly #closing = new AbortController();
  readonly #settling = new PQueue({ concurrency: SETTLING_CALLS_MAX });

  constructor(
    arn: QueueArn,
    attributes: Readonly<Record<string, string>>,
    hasBatchingWindow: boolean,
    api: SqsApi,
  ) {
    this.description = {
      kind: KIND,
      eventSourceArn: arn.arn,
      isFifo: arn.isFifo,
      visibilityMs: visibilitySeconds(attributes, arn) * 1000,
      receiveMessagesMax: ENTRIES_MAX,
    };
    this.#api = api;
    this.#toMessage = createMessageFactory(arn, hasBatchingWindow);
  }

  async receive(wanted: ReceiveBounds, signal: AbortSignal): Promise<readonly QueueMessage[]> {
    const request = {
      messagesMax: Math.min(wanted.messagesMax, ENTRIES_MAX),
      waitSeconds: waitSeconds(wanted.waitMs),
      visibilitySeconds: Math.min(toSeconds(wanted.holdMs), VISIBILITY_SECONDS_MAX),
    };
    if (signal.aborted) return [];
    // Not ended by the caller: SQS would hand messages to a connection that is gone, hidden and a receive spent. The answer
    // comes, at the latest when the wait is over.
    const messages = await this.#api.receive(request, this.#closing.signal);
    return messages.map(this.#toMessage);
  }

  acknowledge(messages: readonly QueueMessage[]): Promise<readonly Settlement[]> {
    return this.#settle(messages, (receiptHandles) => this.#api.deleteBatch(receiptHandles));
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

  #changeVisibility(messages: readonly QueueMessage[], ms: number): Promise<readonly Settlement[]> {
    const seconds = Math.min(toSeconds(ms), VISIBILITY_SECONDS_MAX);
    return this.#settle(messages, (receiptHandles) =>
      this.#api.changeVisibilityBatch(receiptHandles, seconds),
    );
  }

  /** In batch calls. One that fails leaves its messages `failed`; when all of them fail, so does this. */
  async #settle(
    messages: readonly QueueMessage[],
    call: (receiptHandles: readonly string[]) => Promise<ReadonlyMap<number, EntryFault>>,
  ): Promise<readonly Settlement[]> {
    const chunks = chunksOf(messages.map((message) => asSqs(message).receiptHandle));
    const results = await Promise.allSettled(
      chunks.map((chunk) => this.#settling.add(async () => await call(chunk))),
    );
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

/** SQS has a code of its own for a receipt, and says of others by the text of `InvalidParameterValue` that they ended. */
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

/** SQS counts in whole seconds; a hold must not end before the engine thinks, nor a wait become a busy loop. */
/** Rounded down, as the caller counts on no longer wait; but a short poll would ask again at once, for ever. */
function waitSeconds(ms: number): number {
  if (ms === 0) return 0;
  return Math.min(Math.max(1, Math.floor(ms / 1000)), WAIT_SECONDS_MAX);
}

function toSeconds(ms: number): number {
  assertInvariant(ms >= 0, "A wait or hold of an SQS call is negative");
  return Math.ceil(ms / 1000);
}

function visibilitySeconds(attributes: Readonly<Record<string, string>>, { arn }: QueueArn): number {
  const seconds = Number(attributes["VisibilityTimeout"] ?? Number.NaN);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `sqs:GetQueueAttributes on ${arn} named no visibility time-out. If an endpoint override is set, look at what answers there.`,
  );
}
