import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
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

/**
 * A local stream with records of several keys, and a function in this process that fails as long as it is broken: what
 * is read meanwhile is given up. `millrace` runs in processes that can be killed.
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

  private constructor(t: TestContext, folder: string, manifest: string) {
    this.#t = t;
    this.folder = folder;
    this.#manifest = manifest;
  }

  /** A FIFO queue whose queue of dead letters holds messages of several groups, as if they had been given up. */
  static async createQueue(t: TestContext, messages: number, groups: number): Promise<FailingWorld> {
    const [world, url] = await FailingWorld.#make(t);
    const file = openStreamFile(join(world.folder, "orders.db"));
    const dead = file.createQueue({ name: "dead.fifo" });
    const redrive = { deadLetterQueue: "dead.fifo", maxReceiveCount: 3 };
    file.createQueue({ name: "orders.fifo", redrive, visibilityMs: 120_000 });
    dead.send(
      Array.from({ length: messages }, (_, number) => {
        const groupId = `key-${number % groups}`;
        return { groupId, body: `${groupId}:${number}` };
      }),
    );
    file.close();
    writeFileSync(world.#manifest, queueManifestOf(url));
    return world;
  }

  static async #make(t: TestContext): Promise<[FailingWorld, string]> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-failures-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const world = new FailingWorld(t, folder, join(folder, "orders.yaml"));
    return [world, await world.#listen()];
  }

  static async create(t: TestContext, options: FailingWorldOptions): Promise<FailingWorld> {
    const [world, url] = await FailingWorld.#make(t);
    const { folder } = world;
    const { records, keys, shards, destination } = options;
    const file = openStreamFile(join(folder, "orders.db"));
    const stream = file.createStream({ name: "orders", shards });
    stream.append(
      Array.from({ length: records }, (_, number) => {
        const key = `key-${number % keys}`;
        return { partitionKey: key, data: `${key}:${number}` };
      }),
    );
    file.close();
    writeFileSync(world.#manifest, manifestOf(url, destination));
    return world;
  }

  run(): MillraceProcess {
    const words = ["run", "-f", this.#manifest, "--api", "127.0.0.1:0", "--store", "sqlite:progress.db"];
    return new MillraceProcess(this.#t, words, this.folder);
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
    const url = `${await run.apiUrl()}/millrace/v1/failures?max=1000`;
    await until(
      async () => {
        const { failures } = (await (await fetch(url)).json()) as { failures: { count: number }[] };
        return failures.reduce((sum, each) => sum + each.count, 0) >= count;
      },
      () => `${run.stderr.slice(-2_000)}`,
    );
  }

  /** Data that the function had while it worked, in order. */
  worked(): readonly string[] {
    return this.seen.filter(({ wasBroken }) => !wasBroken).flatMap(({ data }) => data);
  }

  async #listen(): Promise<string> {
    const server = createServer((request: IncomingMessage, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      request.on("end", () => {
        const event: { Records: { kinesis?: { data: string }; body?: string }[] } = JSON.parse(body);
        const data = event.Records.map(({ kinesis, body: text = "" }) =>
          kinesis === undefined ? text : Buffer.from(kinesis.data, "base64").toString(),
        );
        const requestId = String(request.headers["lambda-runtime-aws-request-id"]);
        const wasBroken = this.isBroken || data.some((each) => this.breaks(each));
        const call = { requestId, data, wasBroken };
        this.seen.push(call);
        this.onCall(call);
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
}

function manifestOf(url: string, destination: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 60 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-stream }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  startingPosition: TRIM_HORIZON
  batchSize: 1
  parallelizationFactor: 10
  maximumRetryAttempts: 0
  destinationConfig: { onFailure: { destination: "${destination}" } }
  endpoints: { LOCAL_FILE: [orders.db] }
`;
}

function queueManifestOf(url: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 60 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-queue }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:queue/orders.fifo
  batchSize: 1
  endpoints: { LOCAL_FILE: [orders.db] }
`;
}
