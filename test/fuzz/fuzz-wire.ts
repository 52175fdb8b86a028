/**
 * Mutated answers of HTTP servers, in pieces as a socket may give them, read by the client of `src/network` and once
 * more by a plain reading of all bytes at once. The client may refuse more than that does; it may not crash, nor take
 * another status or body from an answer, nor use a connection again on which something is left over.
 */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { WireClient, type WireExchange } from "../../src/network/wire-client.ts";
import type { WireHead } from "../../src/network/wire-head.ts";
import { chanceOf } from "../simulation/host/host-chance.ts";
import { mutated } from "./mutated-answers.ts";

export interface WireCount {
  readonly read: number;
  readonly refused: number;
}

const ANSWERS: readonly Buffer[] = [
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}',
  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n1\r\nz\r\n0\r\nt: u\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 503 Busy\r\nretry-after: 3\r\ncontent-length: 4\r\n\r\nbusy",
  "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nwhat comes until the end",
  "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\nKeep-Alive: timeout=5\r\ncontent-length: 2\r\n\r\n[]",
  "HTTP/1.1 204 No Content\r\nx-amz-function-error: Handled\r\n\r\n",
].map((text) => Buffer.from(text));
const PIECES: readonly string[] = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\r",
  ":",
  "0\r\n\r\n",
  "1\r\n",
  "ffffffff\r\n",
  "content-length: 3\r\n",
  "content-length: -1\r\n",
  "transfer-encoding: chunked\r\n",
  "connection: close\r\n",
  "HTTP/1.1 200 OK\r\n",
  " folded\r\n",
];

/** @throws Error that shows the answer, at the first crash or wrong answer */
export function fuzzWire(count: number, seed: number): WireCount {
  const chance = chanceOf(seed);
  const below = (limit: number) => Math.floor(chance() * limit);
  const counts = { read: 0, refused: 0 };
  for (let number = 0; number < count; number++) {
    const whole = ANSWERS[below(ANSWERS.length)] ?? Buffer.alloc(0);
    const at = below(whole.length + 1);
    const piece = Buffer.from(PIECES[below(PIECES.length)] ?? "");
    const answer =
      chance() < 0.5
        ? Buffer.concat([whole.subarray(0, at), piece, whole.subarray(at + below(3))])
        : mutated(whole, chance);
    try {
      if (compare(answer, below)) counts.read++;
      else counts.refused++;
    } catch (error) {
      const shown = JSON.stringify(answer.toString("latin1"));
      throw new Error(`answer ${number} of seed ${seed}: ${shown}`, { cause: error });
    }
  }
  return counts;
}

interface Read {
  readonly status: number;
  readonly body: string;
}

/** Whether the client took it for an answer. */
function compare(answer: Buffer, below: (limit: number) => number): boolean {
  const socket = new FuzzSocket();
  const client = new WireClient((made) => made(undefined, socket as unknown as Socket));
  const exchange = new Recorder(client, () => below(8) === 0);
  client.send("POST / HTTP/1.1\r\n\r\n", Buffer.alloc(0), exchange);
  for (let at = 0; at < answer.length && !socket.isDestroyed; ) {
    const until = at + 1 + below(below(2) === 0 ? 4 : answer.length);
    // A reader may write into what was read for it, but not into what others hold.
    socket.emit("data", Buffer.from(answer.subarray(at, until)));
    exchange.goOn();
    at = until;
  }
  const isKept = !socket.isDestroyed && exchange.read !== undefined;
  if (!socket.isDestroyed) socket.emit("end");
  client.close();
  if (exchange.ends !== 1) throw new Error(`the exchange has ended ${exchange.ends} times`);
  if (exchange.read === undefined) return false;
  const said = plainly(answer.toString("latin1"));
  if (said?.status !== exchange.read.status || said.body !== exchange.read.body)
    throw new Error(`read ${JSON.stringify(exchange.read)} where ${JSON.stringify(said)} stands`);
  if (isKept && said.rest !== "") throw new Error("the connection was kept with something left over");
  return true;
}

class FuzzSocket extends EventEmitter {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
  }

  write(): void {}
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
}

class Recorder implements WireExchange {
  read: Read | undefined;
  ends = 0;
  readonly #client: WireClient;
  readonly #pauses: () => boolean;
  readonly #pieces: Buffer[] = [];
  #status = 0;
  #isPaused = false;

  constructor(client: WireClient, pauses: () => boolean) {
    this.#client = client;
    this.#pauses = pauses;
  }

  onSending(): boolean {
    return true;
  }

  onHead({ status }: WireHead): void {
    this.#status = status;
  }

  onBytes(bytes: Buffer): boolean {
    this.#pieces.push(bytes);
    this.#isPaused = this.#pauses();
    return !this.#isPaused;
  }

  onComplete(): void {
    this.ends++;
    this.read = { status: this.#status, body: Buffer.concat(this.#pieces).toString("latin1") };
  }

  onError(): void {
    this.ends++;
  }

  goOn(): void {
    while (this.#isPaused) {
      this.#isPaused = false;
      this.#client.resume(this);
    }
  }
}

/** The first answer that is none of information, and what stands behind it. */
function plainly(text: string): (Read & { readonly rest: string }) | undefined {
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1]);
  const behind = text.slice(end + 4);
  if (end < 0 || Number.isNaN(status)) return undefined;
  if (status < 200) return plainly(behind);
  const valuesOf = (name: string) =>
    lines.flatMap((each) =>
      each.toLowerCase().startsWith(`${name}:`) ? [each.slice(name.length + 1).trim()] : [],
    );
  const [lengths, codings] = [valuesOf("content-length"), valuesOf("transfer-encoding")];
  if (status === 204 || status === 304) return { status, body: "", rest: behind };
  if (codings.length > 0) return { status, ...plainChunks(behind) };
  if (lengths.length === 0) return { status, body: behind, rest: "" };
  const length = Number(lengths[0]);
  return { status, body: behind.slice(0, length), rest: behind.slice(length) };
}

function plainChunks(text: string): { readonly body: string; readonly rest: string } {
  let [body, rest] = ["", text];
  for (;;) {
    const [line, hex = ""] = /^([0-9A-Fa-f]+)[^\n]*\r\n/.exec(rest) ?? [""];
    rest = rest.slice(line.length);
    const size = Number.parseInt(hex, 16);
    if (!(size > 0)) break;
    body += rest.slice(0, size);
    rest = rest.slice(size + 2);
  }
  for (;;) {
    const end = rest.indexOf("\r\n");
    const line = rest.slice(0, end);
    rest = rest.slice(end + 2);
    if (line === "" || end < 0) return { body, rest };
  }
}
