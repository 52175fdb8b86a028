/**
 * A Kinesis endpoint that costs next to nothing, in a process of its own: shards of a fixed number of equal pages of
 * 1,000 × 1 KB records, then their end; behind the iterator `endless` one page for ever.
 * Run as a script with `node kinesis-server.ts SHARDS PAGES`; prints its port on the first line, ends when its standard
 * input ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { cbor, dateToTag } from "@smithy/core/cbor";

export const PAGE_RECORDS = 1_000;
export const RECORD_BYTES = 1_024;
/** Of all sequence numbers; nine digits follow. */
const SEQUENCE_HEAD = "49590338271490256608559692538361571095921575989";
export const ENDLESS = "endless";

export interface CannedKinesis {
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startCannedKinesis(shards: number, pages: number): Promise<CannedKinesis> {
  const args = [fileURLToPath(import.meta.url), String(shards), String(pages)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const port = await firstLine(child);
  return {
    endpoint: `http://127.0.0.1:${port}`,
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
    child.once("exit", () => reject(new Error("the canned Kinesis ended before it listened")));
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
}

function serve(shards: number, pages: number): void {
  const records = Array.from({ length: PAGE_RECORDS }, (_, index) => ({
    SequenceNumber: SEQUENCE_HEAD + String(index).padStart(9, "0"),
    PartitionKey: `key-${index % 500}`,
    Data: randomBytes(RECORD_BYTES),
    ApproximateArrivalTimestamp: new Date(),
  }));
  const json = recordsJson(records);
  const cborPage = Buffer.from(
    cbor.serialize({
      MillisBehindLatest: 1,
      NextShardIterator: ENDLESS,
      Records: records.map(({ ApproximateArrivalTimestamp, ...record }) => ({
        ...record,
        ApproximateArrivalTimestamp: dateToTag(ApproximateArrivalTimestamp),
      })),
    }),
  );
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1");
    });
    request.on("end", () => {
      if (request.headers["smithy-protocol"] === "rpc-v2-cbor") {
        response.writeHead(200, {
          "smithy-protocol": "rpc-v2-cbor",
          "content-type": "application/cbor",
          "content-length": cborPage.length,
        });
        response.end(cborPage);
        return;
      }
      answerJson(request, response, JSON.parse(body), json, shards, pages);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(address.port);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}

function recordsJson(
  records: readonly { Data: Buffer; ApproximateArrivalTimestamp: Date; SequenceNumber: string }[],
): Buffer {
  const elements = records.map((record) => ({
    ...record,
    Data: record.Data.toString("base64"),
    ApproximateArrivalTimestamp: record.ApproximateArrivalTimestamp.getTime() / 1_000,
  }));
  return Buffer.from(JSON.stringify(elements));
}

/** A copy whose sequence numbers follow those of the page before, as a log's do. */
function atPage(records: Buffer, page: number): Buffer {
  const copy = Buffer.from(records);
  let at = 0;
  for (let index = 0; index < PAGE_RECORDS; index++) {
    at = copy.indexOf(SEQUENCE_HEAD, at) + SEQUENCE_HEAD.length;
    copy.write(String(page * PAGE_RECORDS + index).padStart(9, "0"), at, "latin1");
  }
  return copy;
}

function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  input: { readonly ShardIterator?: string; readonly ShardId?: string },
  records: Buffer,
  shards: number,
  pages: number,
): void {
  response.setHeader("content-type", "application/x-amz-json-1.1");
  switch (String(request.headers["x-amz-target"]).split(".")[1]) {
    case "GetRecords": {
      const page = Number(input.ShardIterator);
      const content = Number.isNaN(page) ? records : atPage(records, page);
      const next =
        input.ShardIterator === ENDLESS ? ENDLESS : page + 1 < pages ? String(page + 1) : undefined;
      const head = Buffer.from(
        `{"MillisBehindLatest":1,${next === undefined ? "" : `"NextShardIterator":"${next}",`}"Records":`,
      );
      response.setHeader("content-length", head.length + content.length + 1);
      response.write(head);
      response.write(content);
      response.end("}");
      return;
    }
    case "GetShardIterator":
      response.end('{"ShardIterator":"0"}');
      return;
    case "ListShards":
      response.end(
        JSON.stringify({ Shards: Array.from({ length: shards }, (_, index) => closedShard(index)) }),
      );
      return;
    default:
      response.end('{"StreamDescriptionSummary":{"RetentionPeriodHours":24}}');
  }
}

function closedShard(index: number): object {
  return {
    ShardId: `shardId-${String(index).padStart(12, "0")}`,
    HashKeyRange: { StartingHashKey: "0", EndingHashKey: "1" },
    SequenceNumberRange: { StartingSequenceNumber: "1", EndingSequenceNumber: "2" },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  serve(Number(process.argv[2]), Number(process.argv[3]));
}
