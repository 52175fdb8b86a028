import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from "@aws-sdk/client-lambda";
import { openStreamFile, type StreamFile } from "../../../connectors/local/stream-file.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";

export const LOCAL_STREAM = "arn:aws:local:eu-west-1:000000000000:stream/orders";
export const LOCAL_QUEUE = "arn:aws:local:eu-west-1:000000000000:queue/jobs";

/** A folder with functions only; its streams and queues; and `seen`: what each invocation got, by function. */
export interface ControlRun {
  readonly folder: string;
  readonly file: StreamFile;
  readonly seen: { readonly fn: string; readonly data: readonly string[] }[];
  /** Starts a `millrace` on the folder's store. */
  start(...flags: readonly string[]): Promise<RunningControl>;
  /** Has invocations with the record `hold` end; until then they go on. Those with the record `poison` fail. */
  release(): void;
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
}

export interface RunningControl {
  readonly process: MillraceProcess;
  readonly url: string;
  readonly client: LambdaClient;
  get(uuid: string | undefined): Promise<EventSourceMappingConfiguration>;
  list(): Promise<readonly EventSourceMappingConfiguration[]>;
  settled(uuid: string | undefined, state: string): Promise<void>;
}

export async function createControlRun(
  t: TestContext,
  { timeoutSeconds = 20 }: { readonly timeoutSeconds?: number } = {},
): Promise<ControlRun> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-api-"));
  const file = openStreamFile(join(folder, "orders.db"));
  file.createStream({ name: "orders", shards: 2 });
  file.createQueue({ name: "jobs" });
  const seen: { fn: string; data: readonly string[] }[] = [];
  const held = Promise.withResolvers<void>();
  const url = await startFunctions(t, seen, held.promise);
  const manifest = ["orders", "other"].map(
    (name) => `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${name} }
spec: { http: { url: "${url}${name}" }, timeoutSeconds: ${timeoutSeconds} }
`,
  );
  writeFileSync(join(folder, "functions.yaml"), manifest.join("---\n"));
  t.after(() => {
    file.close();
    rmSync(folder, { recursive: true });
  });
  const wait: ControlRun["until"] = (what, holds) =>
    until(holds, () => `${what}; seen: ${JSON.stringify(seen)}`);
  return {
    folder,
    file,
    seen,
    release: held.resolve,
    until: wait,
    start: (...flags) => startControl(t, folder, flags),
  };
}

export async function startControl(
  t: TestContext,
  folder: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningControl> {
  const store = flags.includes("--store") ? [] : ["--store", "sqlite:progress.db"];
  const place = flags.includes("--region") ? [] : ["--region", "eu-west-1"];
  const common = ["--api", "127.0.0.1:0", "--endpoint", "LOCAL_FILE=orders.db", ...store, ...place];
  const run = new MillraceProcess(t, ["run", "-f", "functions.yaml", ...common, ...flags], folder, { env });
  const url = await run.apiUrl();
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({ region: "eu-west-1", endpoint: url, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  const get: RunningControl["get"] = async (UUID) => client.send(new GetEventSourceMappingCommand({ UUID }));
  return {
    process: run,
    url,
    client,
    get,
    list: async () => (await client.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings ?? [],
    async settled(uuid, state) {
      let last = "";
      const isThere = async () => {
        last = (await get(uuid)).State ?? "";
        return last === state;
      };
      await until(isThere, () => `the mapping is ${last}, not ${state}: ${run.stderr}`);
    },
  };
}

/** One server for all functions: the path is the name. Answers Invoke's plain events with them. */
async function startFunctions(
  t: TestContext,
  seen: { fn: string; data: readonly string[] }[],
  held: Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { Records: listed, records, fail } = JSON.parse(text);
      // Kafka's records stand by partition.
      const Records = listed ?? (records && Object.values(records).flat());
      if (fail !== undefined) {
        response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" });
        response.end(JSON.stringify({ errorType: "Failed", errorMessage: String(fail) }));
        return;
      }
      if (!Array.isArray(Records)) {
        response.end(text);
        return;
      }
      const data = Records.map(dataOf);
      seen.push({ fn: request.url?.slice(1) ?? "", data });
      if (data.includes("poison")) {
        response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" });
        response.end('{"errorType":"Poisoned"}');
        return;
      }
      void (data.includes("hold") ? held : Promise.resolve()).then(() => response.end("null"));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function dataOf(record: {
  readonly body?: string;
  readonly value?: string;
  readonly kinesis?: { readonly data: string };
  readonly dynamodb?: { readonly Keys: { readonly pk: { readonly S: string } } };
}): string {
  if (record.kinesis !== undefined) return Buffer.from(record.kinesis.data, "base64").toString();
  if (record.value !== undefined) return Buffer.from(record.value, "base64").toString();
  return record.body ?? record.dynamodb?.Keys.pk.S ?? "";
}
