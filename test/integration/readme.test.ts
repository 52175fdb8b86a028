import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PLANTED_BUGS } from "../simulation/planted-bugs.ts";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const BYTES_MAX = 8_000;
const API = "http://127.0.0.1:8080";

interface Block {
  readonly language: string;
  readonly text: string;
  /** What stands between it and the block before. */
  readonly before: string;
}

const [, tour = ""] = /<!-- tour:.*?-->(.*)<!-- end of the tour -->/s.exec(README) ?? [];
const BLOCKS: readonly Block[] = [...tour.matchAll(/(.*?)^```(\w*)\n(.*?)^```$/gms)].map(
  ([, before = "", language = "", text = ""]) => ({ language, text, before }),
);

/** But for the first: another test installs the package that is made of this checkout. */
const [INSTALL = "", ...COMMANDS] = BLOCKS.filter(({ language }) => language === "sh").map(
  ({ text }) => text,
);

test("the README is short, and the figures in it are true", () => {
  assert.ok(Buffer.byteLength(README) <= BYTES_MAX, `it has ${Buffer.byteLength(README)} bytes`);
  const bugs = Number(/\*\*more than (\d+)\*\* bugs/.exec(README)?.[1]);
  assert.ok(PLANTED_BUGS.length > bugs, `${PLANTED_BUGS.length} bugs are planted`);
});

test("the README's minute does what it says: a handler, a manifest, a record, and one that fails", async (t) => {
  const folder = emptyFolder(t);
  for (const name of ["orders.mts", "orders.yaml"]) writeFileSync(join(folder, name), fileBlock(name));
  const [startDev = "", sendOne = "", fail = "", redrive = "", ...others] = COMMANDS;
  assert.equal(INSTALL, "npm install millrace\n");
  assert.deepEqual(others, []);
  const { dev, here } = await startedDev(t, startDev, folder);
  assert.ok(
    dev.stdout.includes(`  send  ${here(sendOne).trim()}\n`),
    `it prints the README's line: ${dev.stdout}`,
  );
  run(here(sendOne), folder);
  const shown = BLOCKS.find(({ language }) => language === "")?.text.trimEnd() ?? "none";
  await until(
    () => dev.stderr.split("\n").includes(shown),
    () => dev.stderr,
  );
  const failing = here(fail).split("\n");
  run(failing[0] ?? "", folder);
  await until(
    () => readOrNothing(join(folder, "failed.jsonl")).includes('"condition":"RetryAttemptsExhausted"'),
    () => dev.stderr,
  );
  const [, error = "none"] = BLOCKS.filter(({ language }) => language === "").map(({ text }) =>
    text.trimEnd(),
  );
  await until(
    () => dev.stderr.includes(`error ${error} (`),
    () => dev.stderr,
  );
  const said = run(failing.slice(1).join("\n"), folder);
  assert.ok(said.includes(error), said);

  const mended = fileBlock("orders.mts").replace(
    /if \(order\.amount === undefined\).*$/m,
    "order.amount ??= 0;",
  );
  assert.notEqual(mended, fileBlock("orders.mts"));
  writeFileSync(join(folder, "orders.mts"), mended);
  await until(
    () => dev.stderr.includes("function changed"),
    () => dev.stderr,
  );
  const redriven = run(here(redrive), folder);
  assert.match(redriven, /^1 failure, 1 record, 1 key, 1 shard,/m);
  assert.match(redriven, /1\/1 {2}ok 1$/m);
  await until(
    () => dev.stderr.includes("[orders] order 2 of ada: 0"),
    () => dev.stderr,
  );
});

test("the README's Python handler does the same over HTTP", async (t) => {
  if (spawnSync("python3", ["--version"]).status !== 0)
    return t.skip("NO python3 HERE: its handler was not tried");
  const folder = emptyFolder(t);
  const port = await freePort();
  writeFileSync(join(folder, "orders.py"), fileBlock("orders.py").replaceAll("9000", String(port)));
  const [, target = ""] = /`(http: \{ url: .*?\})`/.exec(tour) ?? [];
  assert.notEqual(target, "");
  const manifest = fileBlock("orders.yaml").replace(/module: \{.*?\}/, target.replace("9000", String(port)));
  writeFileSync(join(folder, "orders.yaml"), manifest);
  const python = spawn("python3", ["orders.py"], { cwd: folder });
  t.after(() => python.kill("SIGKILL"));
  let printed = "";
  python.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [startDev = "", sendOne = ""] = COMMANDS;
  const { dev, here } = await startedDev(t, startDev, folder);
  run(here(sendOne), folder);
  await until(
    () => printed.includes("order 1 costs 30\n"),
    () => printed + dev.stderr,
  );
  run(here(sendOne).replace(',"amount":30', ""), folder);
  await until(
    () => readOrNothing(join(folder, "failed.jsonl")).includes('"condition":"RetryAttemptsExhausted"'),
    () => dev.stderr,
  );
  assert.match(dev.stderr, /KeyError: 'amount' \(/);
  assert.match(dev.stderr, /orders\.py", line \d+, in handler/, "its stack, as Lambda's Python tells it");
});

/** The block that the text before it calls by this name. */
function fileBlock(name: string): string {
  const found = BLOCKS.find(({ before, language }) => {
    return !["sh", ""].includes(language) && before.includes(`\`${name}\``);
  });
  assert.ok(found !== undefined, `${name} is in the README`);
  return found.text;
}

async function startedDev(t: TestContext, command: string, folder: string) {
  const words = /^npx millrace (.*)$/m.exec(command)?.[1]?.split(" ") ?? [];
  const dev = new MillraceProcess(t, [...words, "--api", "127.0.0.1:0"], folder);
  const url = () => /^ {2}(?:API|page) +(http:\S+?)\/?$/m.exec(dev.stdout)?.[1];
  await until(
    () => url() !== undefined,
    () => dev.stdout + dev.stderr,
  );
  const at = url() ?? "";
  const here = (text: string) => text.replaceAll(API, at).replaceAll(/^npx millrace .*$/gm, `$& --api ${at}`);
  return { dev, here };
}

/** With `npx millrace` there, as after `npm install millrace`. */
function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-readme-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, "node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "millrace"), `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/src/bin.ts" "$@"\n`);
  chmodSync(join(bin, "millrace"), 0o755);
  return folder;
}

function run(commands: string, cwd: string): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-eu", "-c", commands], { cwd, encoding: "utf8" });
  assert.equal(status, 0, `${commands}\n${stdout}${stderr}`);
  return stdout;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
