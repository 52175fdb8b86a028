import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createAwsClient } from "../aws/client.ts";
import type { Envelope } from "../model/envelope.ts";
import { MillraceError } from "../model/errors.ts";
import type { Destination } from "../ports/destination.ts";
import { CALL_MS_MAX, callAws, checkReceipt, closed } from "./aws-call.ts";
import { messageOf } from "./message.ts";

export interface SqsQueue {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly queueName: string;
}

const ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_SQS";

/**
 * Sends failure records to a standard SQS queue: AWS's document without the event as the message's body (streams §5.7),
 * the record's id as the attribute `millrace-failure-id`. At least once. The queue may be another account's.
 */
export function createSqsDestination(queue: SqsQueue, timeoutMs = CALL_MS_MAX): Destination {
  return new SqsDestination(queue, timeoutMs);
}

class SqsDestination implements Destination {
  readonly #queue: SqsQueue;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  #client: SQSClient | undefined;
  #queueUrl: Promise<string> | undefined;

  constructor(queue: SqsQueue, timeoutMs: number) {
    this.#queue = queue;
    this.#timeoutMs = timeoutMs;
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<undefined> {
    const { arn } = this.#queue;
    if (this.#closing.signal.aborted) throw closed(arn);
    const client = this.#open();
    const { text, attributes, traceHeader } = messageOf(envelope, arn);
    const called = { arn, action: "sqs:SendMessage", resource: arn, endpointVariable: ENDPOINT_VARIABLE };
    await callAws(called, signal, this.#timeoutMs, async (abortSignal) => {
      this.#queueUrl ??= this.#findQueue(client);
      const QueueUrl = await this.#queueUrl;
      const message = { QueueUrl, MessageBody: text, MessageAttributes: attributes };
      const trace = traceHeader === undefined ? {} : { MessageSystemAttributes: traceAttribute(traceHeader) };
      const command = new SendMessageCommand({ ...message, ...trace });
      const { MessageId } = await client.send(command, { abortSignal });
      checkReceipt(called, MessageId);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#client?.destroy();
  }

  #open(): SQSClient {
    this.#client ??= createAwsClient(
      { region: this.#queue.region },
      // An emulator's queue URLs may name hosts that do not resolve here, and no answer may choose a host to call.
      (settings) => new SQSClient({ ...settings, useQueueUrlAsEndpoint: false }),
    );
    return this.#client;
  }

  /** Asked once for all deliveries that wait, so none of them aborts it. */
  #findQueue(client: SQSClient): Promise<string> {
    const { arn, account, queueName } = this.#queue;
    const called = { arn, action: "sqs:GetQueueUrl", resource: arn, endpointVariable: ENDPOINT_VARIABLE };
    const command = new GetQueueUrlCommand({ QueueName: queueName, QueueOwnerAWSAccountId: account });
    const queueUrl = callAws(called, this.#closing.signal, this.#timeoutMs, async (abortSignal) => {
      const { QueueUrl } = await client.send(command, { abortSignal });
      if (QueueUrl !== undefined) return QueueUrl;
      throw new MillraceError(
        "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
        `sqs:GetQueueUrl named no URL of ${arn}. Check the endpoint; delivery is tried again.`,
      );
    });
    queueUrl.catch(() => {
      this.#queueUrl = undefined;
    });
    return queueUrl;
  }
}

function traceAttribute(header: string) {
  return { AWSTraceHeader: { DataType: "String", StringValue: header } };
}
