import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";

export interface FailingWorldOptions {
  readonly records: number;
  readonly keys: number;
  readonly shards: number;
  /** `destinationConfig.onFailure.destination` */
  readonly destination: string;
}

/** One call of the function: data of its records, `KEY:NUMBER` each. */
export interface SeenCall {
  readonly requestId: string;
  readonly data: readonly string[];
  readonly wasBroken: boolean;
}

interface RunHow {
  readonly leases?: "short";
  readonly store?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const SHORT_LEASES = fileURLToPath(new URL("../cli/short-leases.ts", import.meta.url));
/** A list of all failures is long: whoever waits for it lets the process work meanwhile. */
const LIST_PAUSE_MS = 300;

/**
 * A source with records of several keys, and a function in this process that fails as long as it is broken: what is
 * read meanwhile is given up. `millrace` runs in processes that can be killed.
 */
export class FailingWorld {
  readonly folder: string;
  readonly seen: SeenCall[] = [];
  isBroken = true;
  /** Data that it fails for, also when it is mended. */
  breaks: (data: string) => boolean = () => false;
  /** Called with each call before it is answered, so that a test may kill at a place that it has counted. */
  onCall: (call: SeenCall) => void = () => {};
  readonly #t: TestContext;
  readonly #manifest: string;
  readonly #worked: string[] = [];
  #broken = 0;

  private constructor(t: TestContext, folder: string) {
    this.#t = t;
    this.folder = folder;
    this.#manifest = join(folder, "orders.yaml");
  }

  /** `spec`: lines of the mapping's, behind its function. */
  static async of(t: TestContext, name: string, spec: string): Promise<FailingWorld> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-failures-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const world = new FailingWorld(t, folder);
    writeFileSync(world.#manifest, manifestOf(await world.#listen(), name, spec));
    return world;
  }

  /** A local stream. */
  static async create(t: TestContext, options: FailingWorldOptions): Promise<FailingWorld> {
    const { records, keys, shards, destination } = options;
    const world = await FailingWorld.of(
      t,
      "orders-stream",
      `  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  startingPosition: TRIM_HORIZON
  batchSize: 1
  parallelizationFactor: 10
  maximumRetryAttempts: 0
  destinationConfig: { onFailure: { destination: "${destination}" } }
  endpoints: { LOCAL_FILE: [orders.db] }
`,
    );
    const file = openStreamFile(join(world.folder, "orders.db"));
    const stream = file.createStream({ name: "orders", shards });
    stream.append(dataOf(records, keys).map(({ key, data }) => ({ partitionKey: key, data })));
    file.close();
    return world;
  }

  /** A FIFO queue whose queue of dead letters holds messages of several groups, as if they had been given up. */
  static async createQueue(t: TestContext, messages: number, groups: number): Promise<FailingWorld> {
    const world = await FailingWorld.of(
      t,
      "orders-queue",
      `  eventSourceArn: arn:aws:local:eu-west-1:000000000000:queue/orders.fifo
  batchSize: 1
  endpoints: { LOCAL_FILE: [orders.db] }
`,
    );
    const file = openStreamFile(join(world.folder, "orders.db"));
    const dead = file.createQueue({ name: "dead.fifo" });
    const redrive = { deadLetterQueue: "dead.fifo", maxReceiveCount: 3 };
    file.createQueue({ name: "orders.fifo", redrive, visibilityMs: 120_000 });
    dead.send(dataOf(messages, groups).map(({ key, data }) => ({ groupId: key, body: data })));
    file.close();
    return world;
  }

  run(how: RunHow = {}): MillraceProcess {
    const { store = "sqlite:progress.db" } = how;
    const words = ["run", "-f", this.#manifest, "--api", "127.0.0.1:0", "--store", store];
    const main = how.leases === "short" ? { main: SHORT_LEASES } : {};
    return new MillraceProcess(this.#t, words, this.folder, { ...main, env: how.env ?? {} });
  }

  /** Runs `millrace failures …` as a process of its own, against a running one. */
  async command(api: string, ...words: readonly string[]) {
    const command = new MillraceProcess(this.#t, ["failures", ...words, "--api", api], this.folder);
    const { status } = await command.ended;
    return { status, stdout: command.stdout, stderr: command.stderr };
  }

  async json(api: string, ...words: readonly string[]) {
    const { status, stdout, stderr } = await this.command(api, ...words, "--json");
    if (stdout === "") throw new Error(`${words.join(" ")} ended with ${status}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Until so many were delivered to the destination, and listed. */
  async givenUp(run: MillraceProcess, count: number): Promise<void> {
    const described = () => `${run.stderr.slice(-2_000)}`;
    const url = `${await run.apiUrl()}/millrace/v1/failures?max=1000`;
    await until(() => this.#broken >= count, described);
    await until(async () => {
      const { failures } = (await (await fetch(url)).json()) as { failures: { count: number }[] };
      if (failures.reduce((sum, each) => sum + each.count, 0) >= count) return true;
      await new Promise((resolve) => setTimeout(resolve, LIST_PAUSE_MS));
      return false;
    }, described);
  }

  /** Data that the function had while it worked, in order. */
  worked(): readonly string[] {
    return this.#worked;
  }

  async #listen(): Promise<string> {
    const server = createServer((request: IncomingMessage, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      request.on("end", () => {
        const data = dataOfEvent(JSON.parse(body));
        const requestId = String(request.headers["lambda-runtime-aws-request-id"]);
        const call = { requestId, data, wasBroken: this.isBroken || data.some((each) => this.breaks(each)) };
        this.#note(call);
        if (!call.wasBroken) response.end("null");
        else {
          const error = { errorType: "TypeError", errorMessage: `no price for ${data[0]}` };
          response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify(error));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  #note(call: SeenCall): void {
    this.seen.push(call);
    if (call.wasBroken) this.#broken += call.data.length;
    else this.#worked.push(...call.data);
    this.onCall(call);
  }
}

/** Records of the keys in turn, each with its number. */
export function dataOf(records: number, keys: number): readonly { key: string; data: string }[] {
  return Array.from({ length: records }, (_, number) => {
    const key = `key-${number % keys}`;
    return { key, data: `${key}:${number}` };
  });
}

/** As Kinesis, SQS and Kafka have them. */
interface AnyEvent {
  readonly Records?: readonly { readonly kinesis?: { readonly data: string }; readonly body?: string }[];
  readonly records?: Readonly<Record<string, readonly { readonly value: string }[]>>;
}

function dataOfEvent({ Records = [], records = {} }: AnyEvent): readonly string[] {
  const inClear = (text: string) => Buffer.from(text, "base64").toString();
  const own = Records.map(({ kinesis, body = "" }) => (kinesis === undefined ? body : inClear(kinesis.data)));
  const ofTopics = Object.values(records).flatMap((list) => list.map(({ value }) => inClear(value)));
  return [...own, ...ofTopics];
}

function manifestOf(url: string, name: string, spec: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 60 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: orders
${spec}`;
}
