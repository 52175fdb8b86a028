import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { MillraceError } from "../../src/model/errors.ts";
import type { QueueArn } from "./queue-arn.ts";
import { sourceError } from "./sdk-errors.ts";
import type { EntryFault, ReceiveRequest, SqsApi } from "./sqs-api.ts";

const CONNECTION_MS_MAX = 5_000;
/** Beyond the longest long poll, 20 s, on a slow line. */
const CALL_MS_MAX = 40_000;
/** Each receive that waits holds a connection; settlements must not stand behind them. */
const CONNECTIONS_MAX = 512;

/**
 * The calls through the AWS SDK: region from the ARN; credentials and endpoint by the SDK's own rules, among them
 * `AWS_ENDPOINT_URL_SQS`. HTTP/1.1 always, which emulators speak. No retries here: the engine retries and counts.
 */
export function createSdkApi(arn: QueueArn): SqsApi {
  const client = new SQSClient({
    region: arn.region,
    maxAttempts: 1,
    // SQS and TLS both vouch for a body already; the third sum would cost more than all else that is done with it.
    md5: false,
    // An emulator's queue URLs may name hosts that do not resolve here, and no answer may choose a host to call.
    useQueueUrlAsEndpoint: false,
    requestHandler: createHttp1Handler(),
  });
  return new SdkApi(arn, client);
}

function createHttp1Handler(): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
  return new NodeHttpHandler({
    connectionTimeout: CONNECTION_MS_MAX,
    requestTimeout: CALL_MS_MAX,
    socketTimeout: CALL_MS_MAX,
    throwOnRequestTimeout: true,
    httpAgent: agent,
    httpsAgent: agent,
    // What waits for a connection is no news, and would be printed between the logs.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
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
    return this.#call("GetQueueAttributes", signal, async (QueueUrl, options) => {
      // All of them: a standard queue answers a question for `FifoQueue` alone with an error.
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
      return (await this.#client.send(command, options)).Attributes ?? {};
    });
  }

  receive({ messagesMax, waitSeconds, visibilitySeconds }: ReceiveRequest, signal: AbortSignal) {
    return this.#call("ReceiveMessage", signal, async (QueueUrl, options) => {
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
      return (await this.#client.send(command, options)).Messages ?? [];
    });
  }

  deleteBatch(receiptHandles: readonly string[]) {
    return this.#call("DeleteMessageBatch", this.#closing.signal, async (QueueUrl, options) => {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      const command = new DeleteMessageBatchCommand({ QueueUrl, Entries });
      return faultsOf(await this.#client.send(command, options), receiptHandles.length);
    });
  }

  changeVisibilityBatch(receiptHandles: readonly string[], visibilitySeconds: number) {
    return this.#call("ChangeMessageVisibilityBatch", this.#closing.signal, async (QueueUrl, options) => {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: visibilitySeconds,
      }));
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries });
      return faultsOf(await this.#client.send(command, options), receiptHandles.length);
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
    send: (queueUrl: string, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    if (signal.aborted) throw aborted(action, this.#arn);
    const request = new AbortController();
    const options = { abortSignal: request.signal };
    const cut = Promise.withResolvers<never>();
    const end = (error: MillraceError) => {
      cut.reject(error);
      request.abort();
    };
    const onAbort = () => end(aborted(action, this.#arn));
    const timer = setTimeout(() => end(sourceError({ name: "Timeout" }, action, this.#arn)), CALL_MS_MAX);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const sent = this.#findQueue(options).then((queueUrl) => send(queueUrl, options));
      return await Promise.race([sent, cut.promise]);
    } catch (error) {
      throw error instanceof MillraceError ? error : sourceError(error, action, this.#arn);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #findQueue(options: { readonly abortSignal: AbortSignal }): Promise<string> {
    if (this.#queueUrl !== undefined) return this.#queueUrl;
    const { name, account } = this.#arn;
    const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    try {
      const { QueueUrl } = await this.#client.send(command, options);
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
