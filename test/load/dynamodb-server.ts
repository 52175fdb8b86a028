/**
 * A DynamoDB Streams endpoint that costs next to nothing, in a process of its own: closed shards of a fixed number of
 * equal pages of 1,000 changes, then their end. Run as a script with `node dynamodb-server.ts SHARDS PAGES`; prints its
 * port on the first line, ends when its standard input ends.
 */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";

export const PAGE_RECORDS = 1_000;

/** Of all sequence numbers; nine digits follow. */
const SEQUENCE_HEAD = "1000000000000";

export interface CannedDynamodb {
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startCannedDynamodb(shards: number, pages: number): Promise<CannedDynamodb> {
  const args = [fileURLToPath(import.meta.url), String(shards), String(pages)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the canned DynamoDB ended before it listened")));
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.stdin.end();
      }),
  };
}

function serve(shards: number, pages: number): void {
  const records = Buffer.from(
    JSON.stringify(Array.from({ length: PAGE_RECORDS }, (_, index) => change(index))),
  );
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => answer(request, response, JSON.parse(body), { records, shards, pages }));
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(address.port);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}

function change(index: number): object {
  return {
    eventID: `${index}`.padStart(32, "0"),
    eventName: "MODIFY",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "eu-west-1",
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(Date.now() / 1_000),
      Keys: { id: { S: `key-${index % 500}` } },
      NewImage: {
        id: { S: `key-${index % 500}` },
        amount: { N: String(index) },
        text: { S: "x".repeat(900) },
      },
      SequenceNumber: SEQUENCE_HEAD + String(index).padStart(9, "0"),
      SizeBytes: 930,
      StreamViewType: "NEW_IMAGE",
    },
  };
}

/** A copy whose sequence numbers follow those of the page before, as a log's do. */
function atPage(records: Buffer, page: number): Buffer {
  const copy = Buffer.from(records);
  const field = `"SequenceNumber":"${SEQUENCE_HEAD}`;
  let at = 0;
  for (let index = 0; index < PAGE_RECORDS; index++) {
    at = copy.indexOf(field, at) + field.length;
    copy.write(String(page * PAGE_RECORDS + index).padStart(9, "0"), at, "latin1");
  }
  return copy;
}

interface Canned {
  readonly records: Buffer;
  readonly shards: number;
  readonly pages: number;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  input: { readonly ShardIterator?: string },
  { records, shards, pages }: Canned,
): void {
  response.setHeader("content-type", "application/x-amz-json-1.0");
  switch (String(request.headers["x-amz-target"]).split(".")[1]) {
    case "GetRecords": {
      const page = Number(input.ShardIterator) + 1;
      const content = atPage(records, page - 1);
      const head = page < pages ? `{"NextShardIterator":"${page}","Records":` : '{"Records":';
      response.setHeader("content-length", head.length + content.length + 1);
      response.write(head);
      response.write(content);
      response.end("}");
      return;
    }
    case "GetShardIterator":
      response.end('{"ShardIterator":"0"}');
      return;
    default:
      response.end(
        JSON.stringify({
          StreamDescription: {
            StreamStatus: "ENABLED",
            KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
            Shards: Array.from({ length: shards }, (_, index) => ({
              ShardId: `shardId-${String(index).padStart(20, "0")}-bench`,
              SequenceNumberRange: { StartingSequenceNumber: "1", EndingSequenceNumber: "2" },
            })),
          },
        }),
      );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  serve(Number(process.argv[2]), Number(process.argv[3]));
}
