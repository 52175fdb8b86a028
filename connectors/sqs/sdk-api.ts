import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  type ReceiveMessageCommandOutput,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { ANSWER_MS_MAX, type CallLimits, callAws, OPENING } from "../../src/aws/call.ts";
import { HandCalls } from "../../src/aws/hand-call.ts";
import { abortable } from "../../src/aws/lean-client.ts";
import type { LeanResponse } from "../../src/aws/lean-http.ts";
import { hasErrorCode, MillraceError } from "../../src/model/errors.ts";
import type { QueueArn } from "./queue-arn.ts";
import { type EntryFates, readFates, readMessages } from "./raw-messages.ts";
import { createSqsClient } from "./sdk-client.ts";
import { sourceError } from "./sdk-errors.ts";
import type { EntryFault, ReceiveRequest, SqsApi } from "./sqs-api.ts";

/** Both names of one thing: emulators know the older alone. */
const ALL_ATTRIBUTES: Pick<
  ReceiveMessageCommandInput,
  "AttributeNames" | "MessageSystemAttributeNames" | "MessageAttributeNames"
> = { AttributeNames: ["All"], MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] };

const CALL: CallLimits = { timeoutMs: ANSWER_MS_MAX };
/** What an answer may take on a slow line, which comes only when the long poll ends. */
const AFTER_WAIT_MS_MAX = 20_000;

/** The calls of one queue: what comes with every batch is asked for and read by hand, the rest through the AWS SDK. */
export function createSdkApi(arn: QueueArn): SqsApi {
  return new SdkApi(arn, createSqsClient(arn));
}

class SdkApi implements SqsApi {
  readonly #arn: QueueArn;
  readonly #client: SQSClient;
  readonly #hand: HandCalls;
  readonly #closing = new AbortController();
  #queueUrl: string | undefined;

  constructor(arn: QueueArn, client: SQSClient) {
    this.#arn = arn;
    this.#client = client;
    this.#hand = new HandCalls(client);
  }

  queueAttributes(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const read = async (QueueUrl: string, request: AbortSignal) => {
      // All of them: a standard queue answers a question for `FifoQueue` alone with an error.
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
      return (await this.#client.send(abortable(command, request))).Attributes ?? {};
    };
    return this.#call("GetQueueAttributes", signal, read, OPENING);
  }

  receive({ messagesMax, waitSeconds, visibilitySeconds }: ReceiveRequest, signal: AbortSignal) {
    const timeoutMs = waitSeconds * 1_000 + AFTER_WAIT_MS_MAX;
    const receive = (QueueUrl: string, request: AbortSignal) => {
      const input = {
        QueueUrl,
        MaxNumberOfMessages: messagesMax,
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: visibilitySeconds,
        ...ALL_ATTRIBUTES,
      };
      const question = {
        body: JSON.stringify(input),
        command: () => new ReceiveMessageCommand(input),
        send: (command: ReceiveMessageCommand) => this.#client.send(command),
        read: (answer: LeanResponse) => readMessages(answer.body),
        take: ({ Messages = [] }: ReceiveMessageCommandOutput) => Messages,
      };
      return this.#hand.ask("ReceiveMessage", question, request);
    };
    return this.#call("ReceiveMessage", signal, receive, { timeoutMs });
  }

  deleteBatch(receiptHandles: readonly string[]) {
    return this.#call("DeleteMessageBatch", this.#closing.signal, (QueueUrl, request) => {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      const input = { QueueUrl, Entries };
      const question = {
        body: JSON.stringify(input),
        command: () => new DeleteMessageBatchCommand(input),
        send: (command: DeleteMessageBatchCommand) => this.#client.send(command),
        ...fates(receiptHandles.length),
      };
      return this.#hand.ask("DeleteMessageBatch", question, request);
    });
  }

  changeVisibilityBatch(receiptHandles: readonly string[], visibilitySeconds: number) {
    return this.#call("ChangeMessageVisibilityBatch", this.#closing.signal, (QueueUrl, request) => {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: visibilitySeconds,
      }));
      const input = { QueueUrl, Entries };
      const question = {
        body: JSON.stringify(input),
        command: () => new ChangeMessageVisibilityBatchCommand(input),
        send: (command: ChangeMessageVisibilityBatchCommand) => this.#client.send(command),
        ...fates(receiptHandles.length),
      };
      return this.#hand.ask("ChangeMessageVisibilityBatch", question, request);
    });
  }

  close(): void {
    this.#closing.abort();
    this.#client.destroy();
  }

  /** One call: its failure as the port's error. */
  async #call<T>(
    action: string,
    signal: AbortSignal,
    send: (queueUrl: string, request: AbortSignal) => Promise<T>,
    limits = CALL,
  ): Promise<T> {
    let called = action;
    try {
      return await callAws(signal, limits, async (request) => {
        called = "GetQueueUrl";
        const queueUrl = await this.#findQueue(request);
        called = action;
        return await send(queueUrl, request);
      });
    } catch (error) {
      if (signal.aborted) throw aborted(action, this.#arn);
      const known = error instanceof MillraceError ? error : sourceError(error, called, this.#arn);
      // The next queue of this name may have another URL.
      if (hasErrorCode(known, "ERR_MILLRACE_SOURCE_NOT_FOUND")) this.#queueUrl = undefined;
      throw known;
    }
  }

  async #findQueue(request: AbortSignal): Promise<string> {
    if (this.#queueUrl !== undefined) return this.#queueUrl;
    const { name, account } = this.#arn;
    const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    const { QueueUrl } = await this.#client.send(abortable(command, request));
    if (QueueUrl === undefined) throw noUrl(this.#arn);
    this.#queueUrl = QueueUrl;
    return QueueUrl;
  }
}

function fates(count: number) {
  return {
    read: (answer: LeanResponse) => faultsOf(readFates(answer.body), count),
    take: (output: BatchOutput) => faultsOf(output, count),
  };
}

interface BatchOutput {
  readonly Successful?: EntryFates["Successful"] | undefined;
  readonly Failed?: readonly Partial<EntryFates["Failed"][number]>[] | undefined;
}

/** What an answer says of neither fate is refused too: it may not be taken for done. */
function faultsOf(output: BatchOutput, count: number): ReadonlyMap<number, EntryFault> {
  const done = new Set((output.Successful ?? []).map(({ Id }) => Id));
  const failed = new Map((output.Failed ?? []).map((entry) => [entry.Id, entry]));
  const faults = new Map<number, EntryFault>();
  for (let index = 0; index < count; index++) {
    if (done.has(String(index))) continue;
    const { Code = "Unanswered", Message = "" } = failed.get(String(index)) ?? {};
    faults.set(index, { code: Code, message: Message });
  }
  return faults;
}

function noUrl({ arn }: QueueArn): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `sqs:GetQueueUrl named no URL of ${arn}. If AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL is set, look at what answers there.`,
  );
}

function aborted(action: string, { arn }: QueueArn): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", `The caller stopped sqs:${action} on ${arn}.`);
}
