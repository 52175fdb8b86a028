import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  type Message,
  type QueueAttributeName,
  type SendMessageCommandInput,
  SQS,
} from "@aws-sdk/client-sqs";

/** A queue of its own for one test, as the plain SDK sees it. Gone at the test's end. */
export interface PlainQueue extends AsyncDisposable {
  readonly url: string;
  readonly arn: string;
  /** Calls that the functions below do not cover. */
  readonly client: SQS;
  /** In this order. On a FIFO queue the group is the body up to its slash, or its first letter when it has none. */
  send(...bodies: readonly string[]): Promise<void>;
  sendOne(message: Omit<SendMessageCommandInput, "QueueUrl">): Promise<void>;
  /** All attributes asked for. */
  receive(bounds?: PlainReceiveBounds): Promise<readonly Message[]>;
  /** Receives until something comes: for what a server does after some time. */
  receiveSoon(bounds?: PlainReceiveBounds): Promise<readonly Message[]>;
  remove(...messages: readonly Message[]): Promise<BatchAnswer>;
  /** Has the holds end in so many seconds. */
  hold(seconds: number, ...messages: readonly Message[]): Promise<BatchAnswer>;
  change(attributes: Partial<Record<QueueAttributeName, string>>): Promise<void>;
  /** Removes the queue itself. */
  drop(): Promise<void>;
  /** Another queue of this name, after `drop`. */
  remake(attributes?: Partial<Record<QueueAttributeName, string>>): Promise<void>;
  /** Messages that wait or are held, as the queue counts them. */
  depth(): Promise<number>;
}

export interface PlainReceiveBounds {
  /** Default and at most: 10. */
  readonly messagesMax?: number;
  /** Default: 0. */
  readonly waitSeconds?: number;
  /** Default: the queue's own. */
  readonly holdSeconds?: number;
  readonly signal?: AbortSignal;
}

/** For each entry, in the order given: `"ok"`, or the error's code. */
export type BatchAnswer = readonly string[];

const ENTRIES_MAX = 10;
const RECEIVES_MAX = 10;
const RECEIVE_WAIT_SECONDS = 2;

/** The SDK finds the server by its own environment variables. */
export async function createPlainQueue(
  kind: "standard" | "fifo",
  attributes: Partial<Record<QueueAttributeName, string>> = {},
): Promise<PlainQueue> {
  const isFifo = kind === "fifo";
  // One attempt: a retry would hide what the server answers. Queue URLs may name a host that resolves in a container
  // only.
  const client = new SQS({ maxAttempts: 1, useQueueUrlAsEndpoint: false });
  const name = `Q-${randomUUID()}${isFifo ? ".fifo" : ""}`;
  const create = async (own: Partial<Record<QueueAttributeName, string>>) => {
    const Attributes = isFifo ? { FifoQueue: "true", ...own } : own;
    return await client.createQueue({ QueueName: name, Attributes });
  };
  const { QueueUrl: url = "" } = await create(attributes);
  const answer = await client.getQueueAttributes({ QueueUrl: url, AttributeNames: ["QueueArn"] });
  const receive: PlainQueue["receive"] = (bounds) => receiveFrom(client, url, bounds);
  return {
    url,
    arn: answer.Attributes?.QueueArn ?? "",
    client,
    async send(...bodies) {
      for (let start = 0; start < bodies.length; start += ENTRIES_MAX) {
        const part = bodies.slice(start, start + ENTRIES_MAX);
        const Entries = part.map((body, index) => ({ Id: String(index), ...messageOf(body, isFifo) }));
        const { Failed = [] } = await client.sendMessageBatch({ QueueUrl: url, Entries });
        assert.deepEqual(Failed, []);
      }
    },
    async sendOne(message) {
      await client.sendMessage({ QueueUrl: url, ...message });
    },
    receive,
    async receiveSoon(bounds) {
      for (let receives = 0; receives < RECEIVES_MAX; receives++) {
        const messages = await receive({ waitSeconds: RECEIVE_WAIT_SECONDS, ...bounds });
        if (messages.length > 0) return messages;
      }
      return [];
    },
    async remove(...messages) {
      return answerOf(await client.deleteMessageBatch({ QueueUrl: url, Entries: entriesOf(messages) }));
    },
    async hold(seconds, ...messages) {
      const Entries = entriesOf(messages).map((entry) => ({ ...entry, VisibilityTimeout: seconds }));
      return answerOf(await client.changeMessageVisibilityBatch({ QueueUrl: url, Entries }));
    },
    async change(own) {
      await client.setQueueAttributes({ QueueUrl: url, Attributes: own });
    },
    async drop() {
      await client.deleteQueue({ QueueUrl: url });
    },
    async remake(own = {}) {
      await create(own);
    },
    async depth() {
      const AttributeNames = [
        "ApproximateNumberOfMessages" as const,
        "ApproximateNumberOfMessagesNotVisible" as const,
      ];
      const { Attributes = {} } = await client.getQueueAttributes({ QueueUrl: url, AttributeNames });
      return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0);
    },
    async [Symbol.asyncDispose]() {
      await client.deleteQueue({ QueueUrl: url });
      client.destroy();
    },
  };
}

/** An attribute of a queue: what was received so often goes to `dead` at its next receive. */
export function redriveTo(dead: PlainQueue, receivesMax: number): { readonly RedrivePolicy: string } {
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: receivesMax }) };
}

/** What a test says of a message: its body, and how often it was received. */
export function bodiesAndCounts(messages: readonly Message[]): readonly string[] {
  return messages.map(({ Body, Attributes }) => `${Body}:${Attributes?.ApproximateReceiveCount}`);
}

export function bodies(messages: readonly Message[]): readonly string[] {
  return messages.map(({ Body = "" }) => Body);
}

async function receiveFrom(client: SQS, QueueUrl: string, bounds: PlainReceiveBounds = {}) {
  const { messagesMax = ENTRIES_MAX, waitSeconds = 0, holdSeconds, signal } = bounds;
  const request = {
    QueueUrl,
    MaxNumberOfMessages: messagesMax,
    WaitTimeSeconds: waitSeconds,
    MessageSystemAttributeNames: ["All" as const],
    MessageAttributeNames: ["All"],
    ...(holdSeconds === undefined ? {} : { VisibilityTimeout: holdSeconds }),
  };
  const options = signal === undefined ? {} : { abortSignal: signal };
  return (await client.receiveMessage(request, options)).Messages ?? [];
}

function messageOf(body: string, isFifo: boolean) {
  if (!isFifo) return { MessageBody: body };
  const slash = body.indexOf("/");
  const MessageGroupId = body.slice(0, slash < 0 ? 1 : slash);
  return { MessageBody: body, MessageGroupId, MessageDeduplicationId: body };
}

function entriesOf(messages: readonly Message[]) {
  return messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
}

interface BatchOutput {
  readonly Successful?: readonly { readonly Id: string | undefined }[] | undefined;
  readonly Failed?:
    | readonly { readonly Id: string | undefined; readonly Code: string | undefined }[]
    | undefined;
}

function answerOf({ Successful = [], Failed = [] }: BatchOutput): BatchAnswer {
  const answers = [...Successful.map(({ Id }) => ({ Id, Code: "ok" })), ...Failed];
  return answers.sort((a, b) => Number(a.Id) - Number(b.Id)).map(({ Code = "" }) => Code);
}
