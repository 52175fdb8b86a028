/**
 * An HTTP server that costs next to nothing, in a process of its own, so that a benchmark measures its client: it finds
 * the ends of requests by their content length and answers each with the same bytes.
 * Run as a script with `node dispatch-server.ts [DELAY_MS]`; prints its port on the first line, ends when its standard
 * input ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";

const BODY = '{"batchItemFailures":[]}';
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
);
const HEAD_END = Buffer.from("\r\n\r\n");

export interface DispatchServer {
  readonly url: string;
  close(): Promise<void>;
}

/** `delayMs`: how long the function takes. */
export async function startDispatchServer(delayMs = 0): Promise<DispatchServer> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(delayMs)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await firstLine(child);
  return {
    url: `http://127.0.0.1:${port}/`,
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
    child.once("exit", () => reject(new Error("the dispatch server ended before it listened")));
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
}

function serve(socket: Socket, delayMs: number): void {
  socket.setNoDelay(true);
  let missing = 0;
  let kept: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    let bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    for (;;) {
      if (missing > 0) {
        const taken = Math.min(missing, bytes.length);
        missing -= taken;
        bytes = bytes.subarray(taken);
        if (missing > 0) break;
        if (delayMs === 0) socket.write(ANSWER);
        else setTimeout(() => socket.write(ANSWER), delayMs);
      }
      const headEnd = bytes.indexOf(HEAD_END);
      if (headEnd < 0) break;
      missing = contentLength(bytes.toString("latin1", 0, headEnd));
      bytes = bytes.subarray(headEnd + HEAD_END.length);
    }
    kept = missing > 0 ? Buffer.alloc(0) : bytes;
  });
}

function contentLength(head: string): number {
  const name = "content-length: ";
  const at = head.toLowerCase().indexOf(name);
  if (at < 0) throw new Error("a request without content length");
  return Number.parseInt(head.slice(at + name.length), 10);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const delayMs = Number(process.argv[2]);
  const server = createServer((socket) => serve(socket, delayMs));
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(address.port);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}
