import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

/** A millrace whose function gets what producers put into a stream `clicks` and a FIFO queue `jobs.fifo`. */
export interface ProducersRun {
  /** For `AWS_ENDPOINT_URL_KINESIS` and `AWS_ENDPOINT_URL_SQS`. */
  readonly endpoint: string;
  /** Data and bodies that the function has got, in the order in which it did. */
  seen(source: "clicks" | "jobs.fifo"): readonly string[];
  /** Resolves once the function has got so many of both together. */
  untilSeen(count: number): Promise<void>;
}

interface SeenRecord {
  readonly eventSourceARN: string;
  readonly kinesis?: { readonly data: string };
  readonly body?: string;
}

export async function startProducersRun(t: TestContext): Promise<ProducersRun> {
  const records: SeenRecord[] = [];
  const url = await functionUrl(t, (event) => records.push(...event.Records));
  const folder = mkdtempSync(join(tmpdir(), "millrace-producers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const mapping = (name: string, source: string, more: string) => `---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: seen
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:${source}
  endpoints: { LOCAL_FILE: [./sources.db] }
${more}`;
  writeFileSync(
    join(folder, "producers.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: seen }
spec: { http: { url: "${url}" } }
${mapping("clicks", "stream/clicks", "  startingPosition: TRIM_HORIZON\n")}${mapping("jobs", "queue/jobs.fifo", "")}`,
  );
  const words = [
    "run",
    "-f",
    "producers.yaml",
    "--api",
    "off",
    "--sources-api",
    "127.0.0.1:0",
    "--region",
    "eu-west-1",
  ];
  const run = new MillraceProcess(t, words, folder);
  const { sourcesAddress } = await run.logged("started");
  const seen = (source: string) =>
    records
      .filter(({ eventSourceARN }) => eventSourceARN.endsWith(`/${source}`))
      .map(({ kinesis, body }) => body ?? Buffer.from(kinesis?.data ?? "", "base64").toString());
  return {
    endpoint: String(sourcesAddress),
    seen,
    untilSeen: (count) =>
      until(
        () => records.length >= count,
        () => `the function saw ${records.length} of ${count}: ${run.stderr}`,
      ),
  };
}

async function functionUrl(
  t: TestContext,
  onEvent: (event: { readonly Records: readonly SeenRecord[] }) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      onEvent(JSON.parse(body));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
