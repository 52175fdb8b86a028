import { GetQueueUrlCommand, SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { ANSWER_MS_MAX, callAws } from "../../src/aws/call.ts";
import { abortable } from "../../src/aws/lean-client.ts";
import { SourceLetters } from "../../src/lib/source-letters.ts";
import { MillraceError } from "../../src/model/errors.ts";
import { memberOf } from "../../src/model/event-elements.ts";
import { sentSqsMessage } from "../../src/model/sqs-event-records.ts";
import type { DeadLetters, SentLetter } from "../../src/ports/dead-letters.ts";
import type { EventRecords } from "../../src/ports/event-records.ts";
import { parseQueueArn, type QueueArn } from "./queue-arn.ts";
import { createSdkApi } from "./sdk-api.ts";
import { createSqsClient } from "./sdk-client.ts";
import { sourceError } from "./sdk-errors.ts";
import { openSqsSource } from "./source.ts";
import { ENTRIES_MAX } from "./sqs-api.ts";

const NEVER = new AbortController().signal;
/** What every region takes in one SendMessageBatch. */
const BYTES_MAX = 256 * 1024;

/** The dead letters of a queue, by its redrive policy; `undefined`: it has none, and gives nothing up. */
export async function openSqsDeadLetters(
  arn: QueueArn,
  events: EventRecords,
): Promise<DeadLetters | undefined> {
  const api = createSdkApi(arn);
  const letters = await api.queueAttributes(NEVER).then(
    ({ RedrivePolicy }) => deadLetterArn(RedrivePolicy),
    (error: unknown) => {
      api.close();
      throw error;
    },
  );
  api.close();
  if (letters === undefined) return undefined;
  const source = await openSqsSource(letters, false, createSdkApi(letters));
  const counting = createSdkApi(letters);
  const senders = { letters: new QueueSender(letters), source: new QueueSender(arn) };
  return new SourceLetters({
    source,
    events,
    count: async (signal) => countOf(await counting.queueAttributes(signal)),
    send: (to, messages) => senders[to].send(messages),
    close: () => {
      counting.close();
      for (const sender of Object.values(senders)) sender.close();
    },
  });
}

function deadLetterArn(policy: string | undefined): QueueArn | undefined {
  if (policy === undefined || policy === "") return undefined;
  const target = memberOf(JSON.parse(policy), "deadLetterTargetArn");
  return typeof target === "string" ? parseQueueArn(target) : undefined;
}

const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

function countOf(attributes: Readonly<Record<string, string>>): number {
  return COUNTS.reduce((sum, name) => sum + (Number(attributes[name]) || 0), 0);
}

/** Sends messages as their senders made them. Those of one call in their order. */
class QueueSender {
  readonly #arn: QueueArn;
  #client: SQSClient | undefined;
  #queueUrl: string | undefined;

  constructor(arn: QueueArn) {
    this.#arn = arn;
  }

  async send(messages: readonly SentLetter[]): Promise<void> {
    for (const Entries of batchesOf(messages.flatMap((each, at) => entryOf(each, at, this.#arn.isFifo)))) {
      const answer = await this.#call("SendMessageBatch", (client, QueueUrl, signal) =>
        client.send(abortable(new SendMessageBatchCommand({ QueueUrl, Entries }), signal)),
      );
      // What was not said to be sent is sent again with all others: order is worth more than a repeat.
      if ((answer.Successful ?? []).length === Entries.length) continue;
      throw new MillraceError(
        "ERR_MILLRACE_SOURCE_UNAVAILABLE",
        `Not all messages could be sent to ${this.#arn.arn}; it is tried again.`,
      );
    }
  }

  close(): void {
    this.#client?.destroy();
  }

  async #call<Answer>(
    action: string,
    send: (client: SQSClient, queueUrl: string, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    this.#client ??= createSqsClient(this.#arn);
    const client = this.#client;
    try {
      return await callAws(NEVER, { timeoutMs: ANSWER_MS_MAX }, async (signal) => {
        this.#queueUrl ??= await this.#findQueue(client, signal);
        return await send(client, this.#queueUrl, signal);
      });
    } catch (error) {
      throw sourceError(error, action, this.#arn);
    }
  }

  async #findQueue(client: SQSClient, signal: AbortSignal): Promise<string> {
    const { name, account } = this.#arn;
    const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    return (await client.send(abortable(command, signal))).QueueUrl ?? "";
  }
}

function entryOf({ id, element }: SentLetter, at: number, isFifo: boolean) {
  const sent = sentSqsMessage(element);
  if (sent === undefined) return [];
  const { body, groupId, traceHeader, attributes } = sent;
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue },
    ]),
  );
  const traced =
    traceHeader === undefined
      ? {}
      : {
          MessageSystemAttributes: {
            AWSTraceHeader: { DataType: "String" as const, StringValue: traceHeader },
          },
        };
  const ofGroup = isFifo ? { MessageGroupId: groupId ?? "default", MessageDeduplicationId: id } : {};
  return [{ Id: String(at), MessageBody: body, MessageAttributes, ...traced, ...ofGroup }];
}

type Entry = ReturnType<typeof entryOf>[number];

function batchesOf(entries: readonly Entry[]): readonly Entry[][] {
  const batches: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = batches.at(-1);
    const own = Buffer.byteLength(JSON.stringify(entry));
    bytes += own;
    if (last !== undefined && last.length < ENTRIES_MAX && bytes <= BYTES_MAX) {
      last.push(entry);
      continue;
    }
    batches.push([entry]);
    bytes = own;
  }
  return batches;
}
