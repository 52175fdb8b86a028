import type { Message } from "@aws-sdk/client-sqs";
import type { QueueArn } from "../../../../connectors/sqs/queue-arn.ts";
import { parseQueueArn } from "../../../../connectors/sqs/queue-arn.ts";
import type { EntryFault, ReceiveRequest, SqsApi } from "../../../../connectors/sqs/sqs-api.ts";

export const ARN: QueueArn = parseQueueArn("arn:aws:sqs:us-east-2:123456789012:my-queue");
export const FIFO_ARN: QueueArn = parseQueueArn("arn:aws:sqs:us-east-2:123456789012:my-queue.fifo");
export const NO_ABORT: AbortSignal = new AbortController().signal;

/** Answers as it is told, and keeps what it was asked. */
export class FakeQueue implements SqsApi {
  attributes: Readonly<Record<string, string>> = { VisibilityTimeout: "30" };
  messages: readonly Message[] = [];
  /** By receipt handle. */
  readonly faults = new Map<string, EntryFault>();
  /** A batch call with this receipt handle fails as a whole. */
  readonly broken = new Map<string, Error>();
  readonly receives: ReceiveRequest[] = [];
  readonly batches: { readonly receiptHandles: readonly string[]; readonly seconds: number | undefined }[] =
    [];
  isClosed = false;

  async queueAttributes(): Promise<Readonly<Record<string, string>>> {
    return this.attributes;
  }

  async receive(request: ReceiveRequest): Promise<readonly Message[]> {
    this.receives.push(request);
    return this.messages;
  }

  deleteBatch(receiptHandles: readonly string[]): Promise<ReadonlyMap<number, EntryFault>> {
    return this.#batch(receiptHandles, undefined);
  }

  changeVisibilityBatch(
    receiptHandles: readonly string[],
    seconds: number,
  ): Promise<ReadonlyMap<number, EntryFault>> {
    return this.#batch(receiptHandles, seconds);
  }

  close(): void {
    this.isClosed = true;
  }

  async #batch(receiptHandles: readonly string[], seconds: number | undefined) {
    this.batches.push({ receiptHandles, seconds });
    const error = receiptHandles.map((handle) => this.broken.get(handle)).find((each) => each !== undefined);
    if (error !== undefined) throw error;
    return new Map(
      receiptHandles.flatMap((handle, index) => {
        const fault = this.faults.get(handle);
        return fault === undefined ? [] : [[index, fault] as const];
      }),
    );
  }
}

export function numberedMessages(count: number): readonly Message[] {
  return Array.from({ length: count }, (_, index) => ({
    MessageId: `id-${index}`,
    ReceiptHandle: `receipt-${index}`,
    Body: `body ${index}`,
  }));
}
