import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { ANSWER_MS_MAX, callAws } from "../aws/call.ts";
import { awsFaultOf } from "../aws/fault.ts";
import { remedyOf } from "../aws/fault-text.ts";
import { abortable, createLeanClient } from "../aws/lean-client.ts";
import { MillraceError } from "../model/errors.ts";
import type { EventMessage } from "./sqs-event-message.ts";

/** A standard queue of SQS. */
export interface EventQueuePlace {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

export interface EventReceive {
  /** 1…10 */
  readonly messagesMax: number;
  /** 0…20 */
  readonly waitSeconds: number;
  /** 0…43,200 */
  readonly holdSeconds: number;
}

/**
 * The calls of one queue. Each rejects with ERR_MILLRACE_STORE_UNAVAILABLE where the queue cannot be used now, of a
 * batch also where it takes a part only.
 */
export interface EventQueueApi {
  /** 1…10 messages, together within SQS's bound of one. */
  send(messages: readonly EventMessage[]): Promise<void>;
  receive(request: EventReceive, signal: AbortSignal): Promise<readonly Message[]>;
  /** 1…10 receipts. A message that is gone counts as deleted. */
  remove(receipts: readonly string[]): Promise<void>;
  /** 1…10 receipts. Places of those in the list that hold nothing any more. */
  hold(receipts: readonly string[], seconds: number): Promise<ReadonlySet<number>>;
  /** Messages that are there, held and delayed ones too, to within a minute. */
  count(): Promise<number>;
  close(): void;
}

const CONNECTIONS_MAX = 128;
const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;
/** What an answer may take on a slow line, which comes only when the long poll ends. */
const AFTER_WAIT_MS_MAX = 20_000;
/** As SQS says that a receipt holds nothing: of the whole call or of an entry, with and without its namespace. */
const ENDED = /(?:ReceiptHandleIsInvalid|MessageNotInflight|InvalidParameterValue)$/;
const ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_SQS";

export function createEventQueueApi(place: EventQueuePlace): EventQueueApi {
  return new SdkEventQueueApi(place);
}

class SdkEventQueueApi implements EventQueueApi {
  readonly #place: EventQueuePlace;
  readonly #client: SQSClient;
  readonly #closing = new AbortController();
  #queueUrl: string | undefined;

  constructor(place: EventQueuePlace) {
    this.#place = place;
    const needs = { region: place.region, service: "sqs", connections: CONNECTIONS_MAX };
    // An emulator's queue URLs may name hosts that do not resolve here, and no answer may choose a host to call.
    this.#client = createLeanClient(
      needs,
      (settings) => new SQSClient({ ...settings, md5: false, useQueueUrlAsEndpoint: false }),
    );
  }

  async send(messages: readonly EventMessage[]): Promise<void> {
    const entries = messages.map(({ body, attributes, delaySeconds }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageAttributes: attributes,
      DelaySeconds: delaySeconds,
    }));
    const { Successful = [], Failed = [] } = await this.#call(
      "SendMessage",
      this.#closing.signal,
      (QueueUrl, signal) =>
        this.#client.send(abortable(new SendMessageBatchCommand({ QueueUrl, Entries: entries }), signal)),
    );
    // An answer without a receipt may be anybody's.
    if (Successful.filter(({ MessageId }) => MessageId !== undefined).length === messages.length) return;
    throw this.#refused("SendMessage", Failed[0]?.Code);
  }

  async receive({ messagesMax, waitSeconds, holdSeconds }: EventReceive, signal: AbortSignal) {
    const input = {
      MaxNumberOfMessages: messagesMax,
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: holdSeconds,
      AttributeNames: ["All" as const],
      MessageAttributeNames: ["All"],
    };
    const timeoutMs = waitSeconds * 1000 + AFTER_WAIT_MS_MAX;
    const { Messages = [] } = await this.#call(
      "ReceiveMessage",
      AbortSignal.any([signal, this.#closing.signal]),
      (QueueUrl, request) =>
        this.#client.send(abortable(new ReceiveMessageCommand({ QueueUrl, ...input }), request)),
      timeoutMs,
    );
    return Messages;
  }

  async remove(receipts: readonly string[]): Promise<void> {
    const Entries = receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    const { Failed = [] } = await this.#call("DeleteMessage", this.#closing.signal, (QueueUrl, signal) =>
      this.#client.send(abortable(new DeleteMessageBatchCommand({ QueueUrl, Entries }), signal)),
    );
    const open = Failed.find(({ Code = "" }) => !ENDED.test(Code));
    if (open !== undefined) throw this.#refused("DeleteMessage", open.Code);
  }

  async hold(receipts: readonly string[], seconds: number): Promise<ReadonlySet<number>> {
    const Entries = receipts.map((ReceiptHandle, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: seconds,
    }));
    const { Failed = [] } = await this.#call(
      "ChangeMessageVisibility",
      this.#closing.signal,
      (QueueUrl, signal) =>
        this.#client.send(abortable(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }), signal)),
    );
    const open = Failed.find(({ Code = "" }) => !ENDED.test(Code));
    if (open !== undefined) throw this.#refused("ChangeMessageVisibility", open.Code);
    return new Set(Failed.map(({ Id }) => Number(Id)));
  }

  async count(): Promise<number> {
    const { Attributes = {} } = await this.#call(
      "GetQueueAttributes",
      this.#closing.signal,
      (QueueUrl, signal) =>
        this.#client.send(
          abortable(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...COUNTS] }), signal),
        ),
    );
    const messages = COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? Number.NaN), 0);
    if (!Number.isInteger(messages)) throw this.#refused("GetQueueAttributes", "NoCount");
    return messages;
  }

  close(): void {
    this.#closing.abort();
    this.#client.destroy();
  }

  async #call<Answer>(
    action: string,
    signal: AbortSignal,
    send: (queueUrl: string, signal: AbortSignal) => Promise<Answer>,
    timeoutMs = ANSWER_MS_MAX,
  ): Promise<Answer> {
    let called = action;
    try {
      return await callAws(signal, { timeoutMs }, async (request) => {
        called = "GetQueueUrl";
        const queueUrl = this.#queueUrl ?? (await this.#find(request));
        called = action;
        return await send(queueUrl, request);
      });
    } catch (error) {
      throw error instanceof MillraceError ? error : this.#failed(called, error);
    }
  }

  async #find(request: AbortSignal): Promise<string> {
    const { name, account } = this.#place;
    const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    const { QueueUrl } = await this.#client.send(abortable(command, request));
    if (QueueUrl === undefined) throw this.#refused("GetQueueUrl", "no URL");
    this.#queueUrl = QueueUrl;
    return QueueUrl;
  }

  #failed(action: string, error: unknown): MillraceError {
    const fault = awsFaultOf(error);
    // The next queue of this name may have another URL.
    if (fault.fault === "notFound") this.#queueUrl = undefined;
    const called = {
      action: `sqs:${action}`,
      resource: this.#place.arn,
      endpointVariable: ENDPOINT_VARIABLE,
    };
    const text = `${this.#unusable(action)} (${fault.reason}). ${remedyOf(fault, called)}`;
    return new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", text, { cause: error, fault: fault.fault });
  }

  #refused(action: string, code = "no receipt"): MillraceError {
    const text = `${this.#unusable(action)} (${code.slice(0, 80)}). It is tried again while millrace runs.`;
    return new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", text);
  }

  #unusable(action: string): string {
    return `The queue of asynchronous events ${this.#place.arn} could not be used: sqs:${action} failed`;
  }
}
