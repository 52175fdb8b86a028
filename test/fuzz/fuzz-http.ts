import { connect } from "node:net";
import type { Credentials } from "../../src/api/access-credentials.ts";
import { startApiServer } from "../../src/api/server.ts";
import { SeededRandom } from "../simulation/random.ts";
import { apiOptions } from "../unit/api/api-fixture.ts";
import { ControlWorld } from "../unit/control/control-world.ts";
import { anyRequest } from "./api-requests.ts";
import type { FuzzResult } from "./fuzz-api.ts";
import { flipped } from "./hostile-json.ts";

const ANSWER_MS_MAX = 15_000;

/**
 * The same as bytes on a socket, with broken lines, headers and lengths: what the HTTP parser lets through, and what it
 * does not.
 * @throws Error that names seed and case.
 */
export async function fuzzHttp(
  { cases, seed, credentials }: { cases: number; seed: number; credentials: Credentials },
  onProgress: (cases: number) => void = () => undefined,
): Promise<FuzzResult> {
  const statuses = new Map<number, number>();
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const server = await startApiServer(apiOptions(plane, { credentials }));
  const port = Number(new URL(server.url).port);
  const random = new SeededRandom(seed);
  try {
    for (let index = 0; index < cases; index++) {
      const bytes = brokenRequest(random);
      const answer = await send(port, bytes);
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
      if (status >= 500 && status !== 501) {
        throw new Error(
          `seed ${seed}, case ${index}: ${answer}\n${JSON.stringify(bytes.toString("latin1"))}`,
        );
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (index % 1_000 === 999) onProgress(index + 1);
    }
    const health = await fetch(`${server.url}/healthz`);
    if (health.status !== 200) throw new Error(`seed ${seed}: the server is not well afterwards`);
  } finally {
    await server.close();
  }
  return { cases, statuses };
}

function brokenRequest(random: SeededRandom): Buffer {
  const { method, url, headers, body } = anyRequest(random, []);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const length = random.chance(0.9) ? body.length : random.pick([-1, 0, 1, 1e9, "x", "1, 2"]);
  const extra = [
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "expect: 100-continue",
    "expect: x",
    "upgrade: websocket",
    "connection: upgrade",
    `x: ${"a".repeat(20_000)}`,
    "host: localhost",
    "content-length: 5",
    " folded: x",
    "no colon",
    "bad\u0000name: x",
  ].filter(() => random.chance(0.03));
  const many = random.chance(0.01) ? Array.from({ length: 3_000 }, (_, index) => `h${index}: 1`) : [];
  const version = random.chance(0.95) ? "HTTP/1.1" : random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", ""]);
  const verb = random.chance(0.95) ? method : random.pick(["CONNECT", "TRACE", "FOO", "get", "PRI"]);
  const target = random.chance(0.95) ? url : random.pick(["*", "http://evil.example/", "//x", "", "/ /"]);
  const head = [`${verb} ${target} ${version}`, ...lines, `content-length: ${length}`, ...extra, ...many];
  const end = random.chance(0.95) ? "\r\n" : random.pick(["\n", "\r", "\r\n\t"]);
  const whole = Buffer.concat([Buffer.from(`${[...head, "connection: close"].join(end)}${end}${end}`), body]);
  return random.chance(0.2) ? flipped(whole, random) : whole;
}

/** The answer's beginning; empty when the server hangs up. */
function send(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1" });
    socket.setTimeout(ANSWER_MS_MAX, () => {
      socket.destroy();
      reject(
        new Error(`no end of the answer to ${JSON.stringify(bytes.toString("latin1").slice(0, 2_000))}`),
      );
    });
    socket.setEncoding("latin1").on("data", (text: string) => {
      if (answer.length < 1_000) answer += text;
    });
    // A server that hangs up on us while we still send is as good as one that refuses.
    socket.on("error", () => resolve(answer));
    socket.on("close", () => resolve(answer));
    socket.end(bytes);
  });
}
