import assert from "node:assert/strict";
import { mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { readFront } from "../../../src/cli/front-flags.ts";
import { parseFlags } from "../../../src/cli/parse-flags.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { FrontCertificate, type FrontTls } from "../../../src/front/front-certificate.ts";
import { FRONT_LIMITS } from "../../../src/front/front-limits.ts";
import { startRedirectServer } from "../../../src/front/redirect-server.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import {
  FRONT_CERTIFICATE,
  FRONT_KEY,
  RENEWED_CERTIFICATE,
  RENEWED_KEY,
} from "../../fixtures/front-certificates.ts";
import { MillraceProcess } from "../cli/millrace-process.ts";
import { FrontWorld, get, HOST, post, said, statusesIn } from "./front-world.ts";

const BOTH = [FRONT_CERTIFICATE, RENEWED_CERTIFICATE];
const HANG = { timeout: 60_000 };

interface Files extends FrontTls {
  write(certificate: string | Buffer, key: string): void;
}

let writes = 0;

function filesOf(t: TestContext, minVersion: FrontTls["minVersion"] = "TLSv1.2"): Files {
  const folder = mkdtempSync(join(tmpdir(), "millrace-front-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = { certificateFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key"), minVersion };
  const write = (certificate: string | Buffer, key: string) => {
    writeFileSync(files.certificateFile, certificate);
    writeFileSync(files.keyFile, key);
    // Files of one moment are told apart.
    const at = new Date(1_700_000_000_000 + ++writes * 1_000);
    for (const path of [files.certificateFile, files.keyFile]) utimesSync(path, at, at);
  };
  write(FRONT_CERTIFICATE, FRONT_KEY);
  return { ...files, write };
}

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function start(t: TestContext, files: FrontTls, limits: Parameters<typeof FrontWorld.start>[1] = {}) {
  const lines: Line[] = [];
  const certificate = new FrontCertificate(files, {
    clock: createSystemClock(),
    log: (level, message, fields) => void lines.push({ level, message, fields }),
  });
  t.after(() => certificate.close());
  const world = await FrontWorld.start(t, limits, { certificate });
  const open = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({
      host: "127.0.0.1",
      port: world.port,
      servername: HOST,
      ca: BOTH,
      ...options,
    });
    t.after(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", () => resolve());
      socket.once("error", reject);
    });
    return socket;
  };
  return { world, certificate, lines, open };
}

const CLOSE = ["Connection: close"];

test("requests are served by TLS, and the event says so", HANG, async (t) => {
  const { world, open } = await start(t, filesOf(t));
  assert.match(world.server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const answer = await said(await open({ ALPNProtocols: ["h2", "http/1.1"] }), post('{"a":1}', CLOSE));
  assert.deepEqual(statusesIn(answer), [200]);
  const event = JSON.stringify(world.calls[0]?.event);
  for (const said of ['"x-forwarded-proto":"https"', '"x-forwarded-port":"443"', '"sourceIp":"127.0.0.1"'])
    assert.ok(event.includes(said), event);
});

test("several requests of one encrypted connection are answered in their order", HANG, async (t) => {
  const { open } = await start(t, filesOf(t));
  const answer = await said(await open(), `${get("/a")}${post("b")}${get("/c", CLOSE)}`);
  assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 3, answer);
});

test("an older version of TLS than the oldest that is served is refused", HANG, async (t) => {
  const { open } = await start(t, filesOf(t, "TLSv1.3"));
  await assert.rejects(open({ maxVersion: "TLSv1.2" }), /alert|protocol version/i);
  assert.equal((await open()).getProtocol(), "TLSv1.3");
  const other = await start(t, filesOf(t));
  await assert.rejects(other.open({ minVersion: "TLSv1", maxVersion: "TLSv1.1" }));
  assert.equal((await other.open({ maxVersion: "TLSv1.2" })).getProtocol(), "TLSv1.2");
});

test("what speaks no TLS is hung up on, and others are served", HANG, async (t) => {
  const { world, open } = await start(t, filesOf(t));
  for (const bytes of [get(), "\x16\x03\x01\xff\xff garbage", Buffer.alloc(70_000, 0x16)])
    assert.doesNotMatch(await world.say(bytes), /200/);
  const half = world.socket();
  half.write(Buffer.from("160301", "hex"));
  half.destroy();
  assert.deepEqual(statusesIn(await said(await open(), get("/", CLOSE))), [200]);
  assert.equal(world.calls.length, 1);
});

test(
  "a connection that makes no whole handshake ends when headers would have to be there",
  HANG,
  async (t) => {
    const limits = { headersTimeoutMs: 200, checkMs: 20 };
    const { world } = await start(t, filesOf(t), limits);
    const silent = world.socket();
    await new Promise((resolve) => silent.once("close", resolve));
    const slow = world.socket();
    slow.write(Buffer.from("16030101", "hex"));
    await new Promise((resolve) => slow.once("close", resolve));
  },
);

test(
  "of too many connections the longest silent one has to go, with and without a handshake",
  HANG,
  async (t) => {
    const { world, open } = await start(t, filesOf(t), { connectionsMax: 3 });
    const bare = world.socket();
    const gone = new Promise((resolve) => bare.once("close", resolve));
    await new Promise((resolve) => bare.once("connect", resolve));
    const first = await open();
    const isFirstGone = new Promise((resolve) => first.once("close", resolve));
    await Promise.all([open(), open()]);
    await gone;
    const last = await open();
    await isFirstGone;
    assert.deepEqual(statusesIn(await said(last, get("/", CLOSE))), [200]);
  },
);

test("a silent moment does not end a request that runs over TLS", HANG, async (t) => {
  const { world, open } = await start(t, filesOf(t), { quietMs: 100 });
  const running = Promise.withResolvers<void>();
  world.answer = async () => {
    await running.promise;
    return { kind: "succeeded", payload: Buffer.from('{"statusCode":200}') };
  };
  const answer = said(await open(), get("/", CLOSE));
  // Another connection is ended for its silence meanwhile.
  const idle = await open();
  await new Promise((resolve) => idle.once("close", resolve));
  running.resolve();
  assert.deepEqual(statusesIn(await answer), [200]);
});

test("files that change are read again; connections that are open go on", HANG, async (t) => {
  const files = filesOf(t);
  const { certificate, lines, open } = await start(t, files);
  const before = await open();
  assert.equal(before.getPeerCertificate().subject.CN, "front.test");
  files.write(RENEWED_CERTIFICATE, RENEWED_KEY);
  certificate.look();
  assert.equal((await open()).getPeerCertificate().subject.CN, "renewed.test");
  assert.deepEqual(statusesIn(await said(before, get("/", CLOSE))), [200]);
  assert.deepEqual(
    lines.map(({ message }) => message),
    ["certificate read", "certificate read again"],
  );
  assert.match(String(lines[1]?.fields["validTo"]), /^\w{3} .* 21\d\d GMT$/);
});

test(
  "a new certificate that cannot be used leaves the last one in use, is told once, and mended",
  HANG,
  async (t) => {
    const files = filesOf(t);
    const { certificate, lines, open } = await start(t, files);
    files.write(RENEWED_CERTIFICATE, FRONT_KEY);
    certificate.look();
    certificate.look();
    assert.equal((await open()).getPeerCertificate().subject.CN, "front.test");
    const told = lines.filter(({ level }) => level === "error");
    assert.equal(told.length, 1);
    assert.match(
      String(told[0]?.fields["error"]),
      /The key in .*tls\.key is not the key of the certificate in/,
    );
    unlinkSync(files.keyFile);
    certificate.look();
    assert.match(String(lines.at(-1)?.fields["error"]), /tls\.key of --front-key cannot be read \(ENOENT\)/);
    files.write(RENEWED_CERTIFICATE, RENEWED_KEY);
    certificate.look();
    assert.equal((await open()).getPeerCertificate().subject.CN, "renewed.test");
  },
);

test("what is wrong with the files is told by their names, and nothing of what they hold", (t) => {
  const files = filesOf(t);
  const secret = "c2VjcmV0IG9mIHRoZSBrZXk=";
  const rows: readonly (readonly [string | Buffer, string, RegExp])[] = [
    ["", FRONT_KEY, /tls\.crt holds no certificate in PEM/],
    [FRONT_KEY, FRONT_KEY, /tls\.crt holds no certificate in PEM/],
    [FRONT_CERTIFICATE, "", /tls\.key holds no private key in PEM/],
    [FRONT_CERTIFICATE, FRONT_CERTIFICATE, /tls\.key holds no private key in PEM/],
    [
      FRONT_CERTIFICATE,
      `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
      /tls\.key holds no private key/,
    ],
    [FRONT_CERTIFICATE, RENEWED_KEY, /is not the key of the certificate/],
    [
      `${FRONT_CERTIFICATE}-----BEGIN CERTIFICATE-----\n${secret}\n`,
      FRONT_KEY,
      /TLS cannot use the certificate in/,
    ],
    [Buffer.alloc(1024 * 1024 + 1, "x"), FRONT_KEY, /has more than 1048576 bytes/],
  ];
  for (const [certificate, key, expected] of rows) {
    files.write(certificate, key);
    const watching = { clock: createSystemClock(), log: () => undefined };
    assert.throws(
      () => new FrontCertificate(files, watching),
      (error: Error & { readonly code?: string }) => {
        assert.equal(error.code, "ERR_MILLRACE_CONFIG");
        assert.match(error.message, expected);
        assert.ok(!error.message.includes(secret));
        assert.ok(!`${error.cause ?? ""}`.includes(secret));
        return true;
      },
    );
  }
});

test("who comes without TLS is sent to where it is, with the path and the method", HANG, async (t) => {
  const server = await startRedirectServer({ host: "127.0.0.1", port: 0 }, 8443, FRONT_LIMITS);
  t.after(() => server.close());
  const port = Number(new URL(server.url).port);
  const say = (text: string) => {
    const socket = connectPlain(port, "127.0.0.1");
    socket.on("error", () => undefined);
    return said(socket, text);
  };
  const answer = await say(get("/a//b%2f?c=d&e"));
  assert.match(answer, /^HTTP\/1\.1 308 /);
  assert.match(answer, new RegExp(`^location: https://${HOST}:8443/a//b%2f\\?c=d&e\r$`, "im"));
  assert.match(answer, /^connection: close\r$/im);
  const port80 = get("/").replace(HOST, `${HOST}:80`);
  assert.match(await say(port80), new RegExp(`^location: https://${HOST}:8443/\r$`, "im"));
  assert.deepEqual(statusesIn(await say(post("x".repeat(10_000)))), [308]);
  for (const wrong of [
    get("/").replace(HOST, "evil.example/\\@x"),
    "GET / HTTP/1.1\r\n\r\n",
    `GET http://evil.example/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    get("/", [`Host: evil.example`]),
  ])
    assert.deepEqual(statusesIn(await say(wrong)), [400], wrong);
});

test("run serves by the certificate of its flags, and sends on who comes without TLS", HANG, async (t) => {
  const files = filesOf(t);
  const flags = ["--front-certificate", files.certificateFile, "--front-key", files.keyFile];
  const words = ["run", "--store", "memory:", "--api", "off", "--front", "127.0.0.1:0", ...flags];
  const run = new MillraceProcess(t, [...words, "--front-redirect", "127.0.0.1:0"], dirname(files.keyFile));
  const { address } = await run.logged("HTTP requests are served");
  const { address: plain } = await run.logged("requests without TLS are sent on");
  const port = Number(new URL(String(address)).port);
  const socket = connect({ host: "127.0.0.1", port, servername: HOST, ca: BOTH });
  const answer = await said(socket, get("/", CLOSE));
  assert.match(answer, /^HTTP\/1\.1 40[34] /);
  const sent = await fetch(String(plain), { redirect: "manual" });
  assert.deepEqual([sent.status, sent.headers.get("location")], [308, `https://127.0.0.1:${port}/`]);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
});

test("run says which of the flags of TLS is missing or wrong", async () => {
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [["--front-certificate", "a"], /--front-certificate needs --front-key, which is missing/],
    [["--front-key", "a"], /--front-key needs --front-certificate, which is missing/],
    [["--front-redirect", "127.0.0.1:80"], /--front-redirect needs --front-certificate/],
    [["--front-certificate", "a", "--front-key", "b", "--front-tls-min", "1.1"], /Give 1\.2 or 1\.3/],
  ];
  for (const [flags, expected] of rows) {
    const parsed = parseFlags(runCommand, [...flags]);
    assert.throws(() => readFront(parsed), expected);
  }
});
