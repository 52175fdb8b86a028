import { randomUUID } from "node:crypto";
import {
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  type SendMessageBatchCommandOutput,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { ANSWER_MS_MAX, callAws, OPENING } from "../../src/aws/call.ts";
import { abortable } from "../../src/aws/lean-client.ts";
import {
  type OutgoingRecord,
  outcomeOfFailure,
  type RecordSender,
  type SendOutcome,
} from "../../src/ports/record-sender.ts";
import type { QueueArn } from "./queue-arn.ts";
import { createSqsClient } from "./sdk-client.ts";
import { sourceError } from "./sdk-errors.ts";

/** Bounds of SendMessageBatch; the bytes are those that every region takes. */
const MESSAGES_MAX = 10;
const BYTES_MAX = 256 * 1024;
const CONCURRENCY = 16;
const NEVER = new AbortController().signal;

/**
 * SendMessageBatch, sent once: a message that is tried again could end up behind later ones of its group.
 * @throws MillraceError when the queue cannot be found.
 */
export async function openQueueSender(arn: QueueArn): Promise<RecordSender> {
  const client = createSqsClient(arn);
  try {
    const QueueUrl = await queueUrl(client, arn);
    return {
      recordsMax: MESSAGES_MAX,
      bytesMax: BYTES_MAX,
      concurrency: CONCURRENCY,
      repeatsKeys: true,
      async send(records) {
        const Entries = records.map((record, index) => entry(record, index, arn.isFifo));
        const command = new SendMessageBatchCommand({ QueueUrl, Entries });
        try {
          const answer = await callAws(NEVER, { timeoutMs: ANSWER_MS_MAX }, (signal) =>
            client.send(abortable(command, signal)),
          );
          return records.map((_, index) => outcomeOf(answer, String(index)));
        } catch (error) {
          return records.map(() => outcomeOfFailure(error));
        }
      },
      async close() {
        client.destroy();
      },
    };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/**
 * The outcome of one entry. A failure that is not the sender's, and one that is not told of at all, promise nothing.
 */
function outcomeOf({ Successful, Failed }: SendMessageBatchCommandOutput, id: string): SendOutcome {
  if (Successful?.some(({ Id }) => Id === id)) return "accepted";
  return Failed?.some(({ Id, SenderFault }) => Id === id && SenderFault) ? "refused" : "unknown";
}

async function queueUrl(client: SQSClient, arn: QueueArn): Promise<string> {
  const command = new GetQueueUrlCommand({ QueueName: arn.name, QueueOwnerAWSAccountId: arn.account });
  try {
    const find = (signal: AbortSignal) => client.send(abortable(command, signal));
    return (await callAws(NEVER, OPENING, find)).QueueUrl ?? "";
  } catch (error) {
    throw sourceError(error, "GetQueueUrl", arn);
  }
}

function entry({ key, data }: OutgoingRecord, index: number, isFifo: boolean) {
  const ofGroup = isFifo ? { MessageGroupId: key, MessageDeduplicationId: randomUUID() } : {};
  return { Id: String(index), MessageBody: data, ...ofGroup };
}
