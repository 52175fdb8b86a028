import type { Message } from "@aws-sdk/client-sqs";

/** The calls that the source makes. Failures of a whole call reject with the errors of the port. */
export interface SqsApi {
  /** Attributes of the queue, by SQS's names. */
  queueAttributes(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  receive(request: ReceiveRequest, signal: AbortSignal): Promise<readonly Message[]>;
  /** What was refused of at most `ENTRIES_MAX` messages, by their place in the list; the others are deleted. */
  deleteBatch(receiptHandles: readonly string[]): Promise<ReadonlyMap<number, EntryFault>>;
  /** As `deleteBatch`; the others are seen again `visibilitySeconds` from now. */
  changeVisibilityBatch(
    receiptHandles: readonly string[],
    visibilitySeconds: number,
  ): Promise<ReadonlyMap<number, EntryFault>>;
  close(): void;
}

export interface ReceiveRequest {
  /** 1…10 */
  readonly messagesMax: number;
  /** 0…20 */
  readonly waitSeconds: number;
  /** 0…43,200 */
  readonly visibilitySeconds: number;
}

/** Why a message of a batch call was refused. */
export interface EntryFault {
  /** `ReceiptHandleIsInvalid`, with or without `AWS.SimpleQueueService.` before it. */
  readonly code: string;
  readonly message: string;
}

/** Messages of one receive, and of one batch call. */
export const ENTRIES_MAX = 10;
