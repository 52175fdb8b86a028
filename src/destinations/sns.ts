import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { createAwsClient } from "../aws/client.ts";
import type { Envelope } from "../model/envelope.ts";
import type { Destination } from "../ports/destination.ts";
import { CALL_MS_MAX, callAws, checkReceipt, closed } from "./aws-call.ts";
import { messageOf } from "./message.ts";

export interface SnsTopic {
  readonly arn: string;
  readonly region: string;
}

/**
 * Publishes failure records to a standard SNS topic: AWS's document without the event as the message (streams §5.7),
 * the record's id as the attribute `millrace-failure-id`. At least once.
 */
export function createSnsDestination(topic: SnsTopic, timeoutMs = CALL_MS_MAX): Destination {
  return new SnsDestination(topic, timeoutMs);
}

class SnsDestination implements Destination {
  readonly #topic: SnsTopic;
  readonly #timeoutMs: number;
  #client: SNSClient | undefined;
  #isClosed = false;

  constructor(topic: SnsTopic, timeoutMs: number) {
    this.#topic = topic;
    this.#timeoutMs = timeoutMs;
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<undefined> {
    const { arn, region } = this.#topic;
    if (this.#isClosed) throw closed(arn);
    this.#client ??= createAwsClient({ region }, (settings) => new SNSClient(settings));
    const client = this.#client;
    const { text, attributes } = messageOf(envelope, arn);
    const called = { arn, action: "sns:Publish", resource: arn, endpointVariable: "AWS_ENDPOINT_URL_SNS" };
    await callAws(called, signal, this.#timeoutMs, async (abortSignal) => {
      const command = new PublishCommand({ TopicArn: arn, Message: text, MessageAttributes: attributes });
      const { MessageId } = await client.send(command, { abortSignal });
      checkReceipt(called, MessageId);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client?.destroy();
  }
}
