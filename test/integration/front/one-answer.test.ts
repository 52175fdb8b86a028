import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../../src/load/seeded-random.ts";
import { type ConnectionHistory, type FrontHistory, judgeFront } from "./front-judge.ts";
import { FrontWorld, HOST, said, succeeded, until } from "./front-world.ts";

const FINE: FrontHistory = {
  connections: [{ sent: ["a", "b"], answered: ["a", undefined], isPatient: true }],
  executed: ["a"],
  bytesSeen: [1],
  bytesMax: 1,
};

describe("the judge of I44", () => {
  const breaches: Readonly<Record<string, [Partial<FrontHistory>, RegExp]>> = {
    "a request that ran twice": [{ executed: ["a", "a"] }, /a was executed twice/],
    "more bytes than there is room for": [{ bytesSeen: [2] }, /2 of 1 bytes/],
    "a response too many": [
      { connections: [{ sent: ["a"], answered: ["a", "a"], isPatient: false }] },
      /1 requests had 2 responses/,
    ],
    "the response to another": [
      { connections: [{ sent: ["a", "b"], answered: ["b", "a"], isPatient: true }] },
      /request a had the response to b/,
    ],
    "a response too few": [
      { connections: [{ sent: ["a"], answered: [], isPatient: true }] },
      /had 0 responses/,
    ],
  };
  for (const [what, [change, text]] of Object.entries(breaches))
    test(`finds ${what}`, () => assert.match(judgeFront({ ...FINE, ...change }).join(), text));

  test("finds nothing where nothing is", () => assert.deepEqual(judgeFront(FINE), []));
});

interface Plan {
  readonly sent: readonly string[];
  readonly pieces: readonly string[];
  readonly end: "patient" | "hangs up" | "raves";
}

/** One connection's requests, cut into pieces anywhere. */
function planOf(random: SeededRandom, name: string): Plan {
  const sent = Array.from({ length: 1 + Math.floor(random.next() * 4) }, (_, index) => `${name}-${index}`);
  const whole = sent.map((id, index) => requestOf(random, id, index === sent.length - 1)).join("");
  const roll = random.next();
  const end = roll < 0.6 ? "patient" : roll < 0.8 ? "hangs up" : "raves";
  const text =
    end === "hangs up"
      ? whole.slice(0, Math.floor(random.next() * whole.length))
      : end === "raves"
        ? `${whole.replace("Connection: close\r\n", "")}RAVING\r\n\r\n`
        : whole;
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const size = 1 + Math.floor(random.next() * text.length);
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return { sent, pieces, end };
}

function requestOf(random: SeededRandom, id: string, isLast: boolean): string {
  const close = isLast ? "Connection: close\r\n" : "";
  const head = `/${id} HTTP/1.1\r\nHost: ${HOST}\r\n${close}`;
  const body = "x".repeat(Math.floor(random.next() * 3_000));
  const roll = random.next();
  if (roll < 0.4) return `GET ${head}\r\n`;
  if (roll < 0.7) return `POST ${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunk = body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `POST ${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

async function play(world: FrontWorld, { sent, pieces, end }: Plan): Promise<ConnectionHistory> {
  const socket = world.socket();
  const answer = said(socket, pieces[0] ?? "");
  for (const piece of pieces.slice(1)) {
    await new Promise((resolve) => setImmediate(resolve));
    if (socket.destroyed) break;
    socket.write(piece);
  }
  if (end === "hangs up") socket.destroy();
  const answered = headsIn(await answer).map((head) => /^x-path: \/(\S+)/m.exec(head)?.[1]);
  // What cannot be read has an answer of its own where nobody waits for another.
  const told = end === "raves" && answered.at(-1) === undefined ? answered.slice(0, -1) : answered;
  return { sent, answered: told, isPatient: end === "patient" };
}

/** Heads of responses, each behind the body of the one before. */
function headsIn(text: string): readonly string[] {
  const heads: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end < 0) break;
    const head = text.slice(at, end);
    heads.push(head);
    at = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  }
  return heads;
}

const SEEDS = [1, 2, 3, 4, 5];
const BYTES_MAX = 60_000;

for (const seed of SEEDS) {
  test(`whatever clients do, each request has its one answer and runs once at most (seed ${seed})`, async (t) => {
    const random = new SeededRandom(seed);
    const world = await FrontWorld.start(t, { bytesMax: BYTES_MAX });
    const bytesSeen: number[] = [];
    world.answer = async (_call, event) => {
      bytesSeen.push(world.gauges().bytes);
      for (let turns = Math.floor(random.next() * 5); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve));
      const { rawPath } = event as { readonly rawPath: string };
      const roll = random.next();
      if (roll < 0.1) return { kind: "functionError", errorType: "Error", message: "it failed" };
      if (roll < 0.15) return { kind: "refused", why: "reservedConcurrency" };
      return succeeded({
        statusCode: 200,
        headers: { "x-path": rawPath },
        body: "y".repeat(random.next() * 5_000),
      });
    };
    const plans = Array.from({ length: 60 }, (_, index) => planOf(random, `${index}`));
    const connections = await Promise.all(plans.map((plan) => play(world, plan)));
    const executed = world.calls.map(({ event }) => String(event["rawPath"]).slice(1));
    assert.deepEqual(judgeFront({ connections, executed, bytesSeen, bytesMax: BYTES_MAX }), []);
    assert.ok(executed.length > 30 && world.statuses.includes(502) && world.statuses.includes(429));
    await until(() => world.gauges().requests === 0);
    assert.equal(world.gauges().bytes, 0, "all that was held is given back");
  });
}
