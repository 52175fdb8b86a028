import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { Failing, firstOf } from "../../src/lib/first-of.ts";
import { MillraceError } from "../../src/model/errors.ts";
import type { QueueArn } from "./queue-arn.ts";
import { abortable, createSqsClient } from "./sdk-client.ts";
import { sourceError } from "./sdk-errors.ts";
import type { EntryFault, ReceiveRequest, SqsApi } from "./sqs-api.ts";

/** Beyond the longest long poll, 20 s, on a slow line. */
const CALL_MS_MAX = 40_000;

/** The calls through the AWS SDK. */
export function createSdkApi(arn: QueueArn): SqsApi {
  return new SdkApi(arn, createSqsClient(arn));
}

class SdkApi implements SqsApi {
  readonly #arn: QueueArn;
  readonly #client: SQSClient;
  readonly #closing = new AbortController();
  #queueUrl: string | undefined;

  constructor(arn: QueueArn, client: SQSClient) {
    this.#arn = arn;
    this.#client = client;
  }

  queueAttributes(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    return this.#call("GetQueueAttributes", signal, async (QueueUrl, request) => {
      // All of them: a standard queue answers a question for `FifoQueue` alone with an error.
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
      return (await this.#client.send(abortable(command, request))).Attributes ?? {};
    });
  }

  receive({ messagesMax, waitSeconds, visibilitySeconds }: ReceiveRequest, signal: AbortSignal) {
    return this.#call("ReceiveMessage", signal, async (QueueUrl, request) => {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: messagesMax,
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: visibilitySeconds,
        // The older name as well: emulators know no other.
        AttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      });
      return (await this.#client.send(abortable(command, request))).Messages ?? [];
    });
  }

  deleteBatch(receiptHandles: readonly string[]) {
    return this.#call("DeleteMessageBatch", this.#closing.signal, async (QueueUrl, request) => {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      const command = new DeleteMessageBatchCommand({ QueueUrl, Entries });
      return faultsOf(await this.#client.send(abortable(command, request)), receiptHandles.length);
    });
  }

  changeVisibilityBatch(receiptHandles: readonly string[], visibilitySeconds: number) {
    return this.#call("ChangeMessageVisibilityBatch", this.#closing.signal, async (QueueUrl, request) => {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: visibilitySeconds,
      }));
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries });
      return faultsOf(await this.#client.send(abortable(command, request)), receiptHandles.length);
    });
  }

  close(): void {
    this.#closing.abort();
    this.#client.destroy();
  }

  /** One call: its failure as the port's error, and its end as soon as the caller aborts, whatever the SDK waits for. */
  async #call<T>(
    action: string,
    signal: AbortSignal,
    send: (queueUrl: string, request: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (signal.aborted) throw aborted(action, this.#arn);
    const request = new AbortController();
    const cut = new Failing();
    const end = (error: MillraceError) => {
      cut.fail(error);
      request.abort();
    };
    const onAbort = () => end(aborted(action, this.#arn));
    const timer = setTimeout(() => end(sourceError({ name: "Timeout" }, action, this.#arn)), CALL_MS_MAX);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const sent = this.#findQueue(request.signal).then((queueUrl) => send(queueUrl, request.signal));
      return await firstOf(sent, cut.whenFailed);
    } catch (error) {
      throw error instanceof MillraceError ? error : sourceError(error, action, this.#arn);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #findQueue(request: AbortSignal): Promise<string> {
    if (this.#queueUrl !== undefined) return this.#queueUrl;
    const { name, account } = this.#arn;
    const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    try {
      const { QueueUrl } = await this.#client.send(abortable(command, request));
      if (QueueUrl === undefined) throw new TypeError("The answer holds no queue URL.");
      this.#queueUrl = QueueUrl;
      return QueueUrl;
    } catch (error) {
      throw sourceError(error, "GetQueueUrl", this.#arn);
    }
  }
}

/** What an answer says of neither fate is refused too: it may not be taken for done. */
function faultsOf(
  output: {
    readonly Successful?: readonly { readonly Id: string | undefined }[] | undefined;
    readonly Failed?: readonly BatchResultErrorEntry[] | undefined;
  },
  count: number,
): ReadonlyMap<number, EntryFault> {
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

function aborted(action: string, { arn }: QueueArn): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", `The caller stopped sqs:${action} on ${arn}.`);
}
