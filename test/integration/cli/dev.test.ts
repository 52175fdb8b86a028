import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openLocalStream } from "../../../connectors/local/stream-file.ts";
import { MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const FUNCTION = `import { shout } from "./shout.mts";
export const handler = async ({ Records }: { Records: { kinesis: { data: string } }[] }) => {
  for (const { kinesis } of Records) console.log(shout(Buffer.from(kinesis.data, "base64").toString()));
};
`;

test("without arguments a sample runs in a temporary folder, and what is saved there counts from the next record on", async (t) => {
  const temporary = emptyFolder(t);
  const run = startDev(t, [], temporary);
  await printed(run, /^ {2}send {2}curl -d .*\/millrace\/v1\/streams\/orders\/records$/m);
  const folder = join(
    temporary,
    readdirSync(temporary).find((name) => name.startsWith("millrace-dev-")) ?? "",
  );
  assert.ok(run.stdout.includes(folder), "the greeting says where to edit");
  put(folder, '{"id":1,"amount":30}');
  await run.printed(/^\[orders\] order 1 of ada: 30$/m);

  const [, api] = /curl -d .* (http:\S+)\/millrace\/v1\/streams/.exec(run.stdout) ?? [];
  const explained = async (name: string) => {
    const { text } = (await (await fetch(`${api}/millrace/v1/mappings/${name}/explain`)).json()) as {
      text: string[];
    };
    return text[0] ?? "";
  };
  assert.match(await explained("orders-stream"), /^orders-stream: /);
  assert.match(await explained("orders-s"), /^orders-stream: /, "as it alone begins");
  assert.match(
    await explained("orders"),
    /^function orders$/,
    "the function of this name, and not what begins so",
  );

  const handler = join(folder, "orders.mts");
  writeFileSync(handler, readFileSync(handler, "utf8").replace("log(`order", "log(`parcel"));
  await run.printed(/function changed/);
  put(folder, '{"id":2,"amount":12}');
  await run.printed(/^\[orders\] parcel 2 of ada: 12$/m);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
});

test("what a module imports is watched too, and a broken module leaves the former one running and says why", async (t) => {
  const { folder, manifest } = moduleFolder(t);
  const run = startDev(t, ["-f", manifest], folder);
  await run.printed(/^\[orders\] 0 one$/m);
  writeFileSync(join(folder, "shout.mts"), "export const shout = (text: string) => text + ' two';\n");
  await run.printed(/function changed/);
  put(folder, "second");
  await run.printed(/^\[orders\] second two$/m);

  writeFileSync(join(folder, "shout.mts"), "// not yet\nexport const shout = (text: string) => text + ;\n");
  await run.printed(
    /a changed function could not be opened; the former one goes on.*Runtime\.UserCodeSyntaxError: .* It is at \S*shout\.mts:2;/,
  );
  put(folder, "third");
  await run.printed(/^\[orders\] third two$/m);
  writeFileSync(join(folder, "shout.mts"), "export const shout = (text: string) => text + ' four';\n");
  await until(
    () => run.stderr.split("function changed").length === 3,
    () => run.stderr,
  );
  put(folder, "fourth");
  await run.printed(/^\[orders\] fourth four$/m);
});

test("manifests with an error are told with line and remedy, at the start too, and run once they are right", async (t) => {
  const { folder, manifest } = moduleFolder(t);
  const good = readFileSync(manifest, "utf8");
  writeFileSync(manifest, `${good.trimEnd()}\n  noSuchField: 1\n`);
  const line = good.trimEnd().split("\n").length + 1;
  const run = startDev(t, ["-f", manifest], folder);
  await run.printed(new RegExp(`orders.yaml:${line}:\\d+: .*noSuchField.*\nNothing runs yet`));
  writeFileSync(manifest, good);
  await run.printed(/^\[orders\] 0 one$/m);
  writeFileSync(manifest, `${good.trimEnd()}\n  batchSize: none\n`);
  await run.printed(/the manifests are not valid: nothing was changed.*orders\.yaml:\d+:\d+: /);
});

test("a second one takes a free port, and each makes a sample of its own", async (t) => {
  const folder = emptyFolder(t);
  const start = () => new MillraceProcess(t, ["dev"], folder, { env: { TMPDIR: folder } });
  const both = [start(), start()];
  const urlOf = ({ stdout }: MillraceProcess) => /^ {2}API +(\S+)$/m.exec(stdout)?.[1];
  await until(
    () => both.every((run) => urlOf(run) !== undefined),
    () => both.map(({ stdout, stderr }) => stdout + stderr).join("\n"),
  );
  assert.equal(new Set(both.map(urlOf)).size, 2);
  assert.equal(readdirSync(folder).filter((name) => name.startsWith("millrace-dev-")).length, 2);
});

test("with run --watch, too, a module that was changed runs at the next call", async (t) => {
  const { folder, manifest } = moduleFolder(t);
  const run = new MillraceProcess(t, ["run", "-f", manifest, "--watch", "--api", "127.0.0.1:0"], folder);
  await run.printed(/^\[orders\] 0 one$/m);
  writeFileSync(join(folder, "shout.mts"), "export const shout = (text: string) => text + ' two';\n");
  await run.printed(/function changed/);
  put(folder, "second");
  await run.printed(/^\[orders\] second two$/m);
});

function moduleFolder(t: TestContext): { folder: string; manifest: string } {
  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 1);
  writeFileSync(join(folder, "orders.mts"), FUNCTION);
  writeFileSync(join(folder, "shout.mts"), "export const shout = (text: string) => text + ' one';\n");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/http: \{.*?\}/, "module: { path: orders.mts }"));
  return { folder, manifest };
}

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-dev-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function startDev(t: TestContext, args: readonly string[], folder: string): MillraceProcess {
  return new MillraceProcess(t, ["dev", ...args, "--api", "127.0.0.1:0"], folder, {
    env: { TMPDIR: folder },
  });
}

async function printed(run: MillraceProcess, text: RegExp): Promise<void> {
  await until(
    () => text.test(run.stdout),
    () => `${text} was not printed: ${run.stdout}${run.stderr}`,
  );
}

function put(folder: string, data: string): void {
  const file = ["sources.db", "orders.db"].find((name) => readdirSync(folder).includes(name)) ?? "none";
  const stream = openLocalStream(join(folder, file), "orders");
  stream.append([{ partitionKey: "ada", data }]);
  stream.close();
}
