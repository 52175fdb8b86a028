/**
 * SQS and an HTTP function that cost little, in a process of their own: queues of messages of 1 KB (or what is asked
 * for) that count what was received, processed and deleted, so that both sides of a comparison can be shown to have
 * done the work. Run as a script with `node sqs-server.ts DELAY_MS [BODY_BYTES]`; prints its port on the first line,
 * ends when its standard input ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { request } from "undici";

export const ACCOUNT = "123456789012";
const BODY_BYTES = 1_024;
const VISIBILITY_SECONDS = 30;

export interface CannedSqs {
  readonly endpoint: string;
  /** Where events of the queue are posted. */
  functionUrl(queue: string): string;
  /** Puts messages into an empty queue; resolves when each of them was processed and deleted once. */
  drain(queue: string, messages: number): Promise<void>;
  close(): Promise<void>;
}

/** `delayMs`: how long each call of the queue takes on its way. */
export async function startCannedSqs(delayMs = 0, bodyBytes = BODY_BYTES): Promise<CannedSqs> {
  const args = [fileURLToPath(import.meta.url), String(delayMs), String(bodyBytes)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const endpoint = `http://127.0.0.1:${await firstLine(child)}`;
  return {
    endpoint,
    functionUrl: (queue) => `${endpoint}/function/${queue}`,
    async drain(queue, messages) {
      const url = `${endpoint}/drain/${queue}`;
      const { statusCode, body } = await request(url, {
        method: "POST",
        body: String(messages),
        headersTimeout: 0,
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`the queue ${queue} was not drained as it should be: ${text}`);
    },
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.stdin?.end();
      }),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the canned SQS ended before it listened")));
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
}

/** The members of requests that the server looks at. */
interface QueueRequest {
  readonly QueueUrl?: string;
  readonly QueueName?: string;
  readonly MaxNumberOfMessages?: number;
  readonly WaitTimeSeconds?: number;
  readonly Entries?: readonly { readonly Id: string; readonly ReceiptHandle: string }[];
}

/** What stands behind the receipt handle of each message. */
function messageTail(bodyBytes: number): string {
  const body = JSON.stringify({ order: 4711, text: "" }).replace(
    '""',
    () => `"${"x".repeat(bodyBytes - 24)}"`,
  );
  return (
    `,"MD5OfBody":"${createHash("md5").update(body).digest("hex")}","Body":${JSON.stringify(body)},` +
    `"Attributes":{"SenderId":"AIDAIENQZJOLO23YVJ4VO","ApproximateFirstReceiveTimestamp":"1732181245000",` +
    `"ApproximateReceiveCount":"1","SentTimestamp":"1732181244000"}}`
  );
}

/** Messages have numbers; their receipt handles carry them, and so do their ids. */
class CannedQueue {
  #filled = 0;
  #received = 0;
  readonly #processed = new Set<number>();
  readonly #deleted = new Set<number>();
  #faults = 0;
  readonly #waiting = new Set<() => void>();
  #onDrained: ((fault: string | undefined) => void) | undefined;
  readonly #tail: string;

  constructor(tail: string) {
    this.#tail = tail;
  }

  drain(messages: number, onDrained: (fault: string | undefined) => void): void {
    this.#filled += messages;
    this.#onDrained = onDrained;
    for (const wake of [...this.#waiting]) wake();
  }

  /** As a real queue does, the call waits for a first message. */
  receive(messagesMax: number, waitMs: number, answer: (messages: string) => void): void {
    const take = () => {
      this.#waiting.delete(take);
      clearTimeout(timer);
      const until = Math.min(this.#filled, this.#received + messagesMax);
      const messages: string[] = [];
      for (; this.#received < until; this.#received++) messages.push(messageJson(this.#received, this.#tail));
      answer(messages.length === 0 ? "{}" : `{"Messages":[${messages.join(",")}]}`);
    };
    const timer = setTimeout(take, this.#received < this.#filled ? 0 : waitMs);
    if (this.#received < this.#filled) take();
    else this.#waiting.add(take);
  }

  /** Ids of the messages of an event that the function got. */
  processed(messageIds: readonly string[]): void {
    for (const id of messageIds) this.#note(this.#processed, numberOf(id));
  }

  delete(receiptHandle: string): void {
    const number = numberOf(receiptHandle);
    if (!this.#processed.has(number)) this.#faults++;
    this.#note(this.#deleted, number);
    if (this.#deleted.size < this.#filled) return;
    this.#onDrained?.(this.#faults === 0 ? undefined : `${this.#faults} messages twice or out of turn`);
  }

  #note(numbers: Set<number>, number: number): void {
    if (numbers.has(number) || !(number < this.#received)) this.#faults++;
    numbers.add(number);
  }
}

const ID_HEAD = randomUUID().slice(0, 24);
const HANDLE_TAIL = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a".repeat(9);

function messageJson(number: number, tail: string): string {
  const place = String(number).padStart(12, "0");
  return `{"MessageId":"${ID_HEAD}${place}","ReceiptHandle":"${HANDLE_TAIL}${place}"${tail}`;
}

function numberOf(idOrHandle: string): number {
  return Number(idOrHandle.slice(-12));
}

function serve(delayMs: number, bodyBytes: number): void {
  const tail = messageTail(bodyBytes);
  const queues = new Map<string, CannedQueue>();
  const queueOf = (name: string): CannedQueue => {
    const queue = queues.get(name) ?? new CannedQueue(tail);
    queues.set(name, queue);
    return queue;
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const [, first, name = ""] = (incoming.url ?? "").split("/");
      if (first === "function") {
        const event = JSON.parse(body) as { readonly Records: readonly { readonly messageId: string }[] };
        queueOf(name).processed(event.Records.map(({ messageId }) => messageId));
        send(response, '{"batchItemFailures":[]}', 200);
      } else if (first === "drain") {
        queueOf(name).drain(Number(body), (fault) =>
          send(response, fault ?? "", fault === undefined ? 200 : 500),
        );
      } else {
        const action = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
        const input = JSON.parse(body) as QueueRequest;
        const answer = () => answerCall(action, input, queueOf, (text) => send(response, text, 200));
        if (delayMs === 0) answer();
        else setTimeout(answer, delayMs);
      }
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(address.port);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}

function answerCall(
  action: string,
  input: QueueRequest,
  queueOf: (name: string) => CannedQueue,
  answer: (text: string) => void,
): void {
  const queue = queueOf(input.QueueUrl?.split("/").at(-1) ?? "");
  switch (action) {
    case "ReceiveMessage":
      queue.receive(input.MaxNumberOfMessages ?? 1, (input.WaitTimeSeconds ?? 0) * 1000, answer);
      return;
    case "DeleteMessageBatch":
      for (const { ReceiptHandle } of input.Entries ?? []) queue.delete(ReceiptHandle);
      answer(successful(input));
      return;
    case "ChangeMessageVisibilityBatch":
      answer(successful(input));
      return;
    case "GetQueueAttributes":
      answer(`{"Attributes":{"VisibilityTimeout":"${VISIBILITY_SECONDS}"}}`);
      return;
    default:
      answer(`{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/${ACCOUNT}/${input.QueueName}"}`);
  }
}

function successful({ Entries = [] }: QueueRequest): string {
  return `{"Successful":[${Entries.map(({ Id }) => `{"Id":"${Id}"}`).join(",")}]}`;
}

function send(response: ServerResponse, text: string, status: number): void {
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": Buffer.byteLength(text),
    "x-amzn-requestid": "8f7b6a54-3c2d-5e1f-9a8b-7c6d5e4f3a2b",
  });
  response.end(text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  serve(Number(process.argv[2]), Number(process.argv[3] ?? BODY_BYTES));
}
