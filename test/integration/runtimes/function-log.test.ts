import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { openModule } from "../../../src/functions/runtime/open-module.ts";
import { createRuntimeFunction } from "../../../src/functions/runtime/runtime-function.ts";
import type { FunctionLogLine } from "../../../src/ports/function-log.ts";
import { StandingCounts } from "../../simulation/host/standing-counts.ts";
import { folderWith } from "../../unit/manifests/manifest-samples.ts";

const HANDLER = `
console.log("loaded");
export const handler = async ({ deed }) => {
  console.log("deed " + deed);
  if (deed === "exit") process.exit(3);
  if (deed === "throw") throw new TypeError("no price");
  return deed;
};
`;

async function opened(t: TestContext) {
  const folder = folderWith(t, {});
  writeFileSync(`${folder}/index.mjs`, HANDLER);
  const lines: FunctionLogLine[] = [];
  const told: string[] = [];
  const counts = new StandingCounts((text) => told.push(text));
  const target = await createRuntimeFunction({
    functionName: "orders",
    version: "3",
    runtime: "nodejs24.x",
    handler: "index.handler",
    command: undefined,
    codeFolder: folder,
    layerFolders: [],
    memoryMb: 256,
    concurrency: 1,
    environment: {},
    log: { line: (line) => void lines.push(line) },
    watch: {
      opened: () => {},
      closed: () => {},
      moved: (from, to) => counts.moved(from, to),
      started: (initMs) => void told.push(initMs > 0 ? "started" : "started at once"),
      startFailed: (errorType) => void told.push(`start failed: ${errorType}`),
      reset: (reason) => void told.push(`reset: ${reason}`),
      memory: (megabytes) => void told.push(megabytes > 5 && megabytes < 256 ? "memory" : `${megabytes} MB`),
    },
  });
  t.after(() => target.close());
  const invoke = (requestId: string, deed: string) =>
    target.invoke(
      Buffer.from(JSON.stringify({ deed })),
      { requestId, functionName: "orders", functionArn: "arn", deadlineMs: 0, timeoutMs: 60_000 },
      new AbortController().signal,
    );
  return { lines, told, counts, invoke, target };
}

test("each call's lines stand between START, END and REPORT, under its request id, and tell what it took", async (t) => {
  const { lines, invoke } = await opened(t);
  await invoke("r-1", "one");
  await invoke("r-2", "throw");
  await invoke("r-3", "exit");
  await setImmediate();
  const shown = lines
    .filter(({ stream }) => stream !== "stderr")
    .map(({ requestId, version, text }) => {
      assert.equal(version, "3");
      return [requestId, text.replaceAll(/[\d.]+(?= M[Bb]| ms)/g, "N")];
    });
  const report = (id: string) =>
    `REPORT RequestId: ${id}\tDuration: N ms\tBilled Duration: N ms\tMemory Size: N MB\tMax Memory Used: N MB`;
  assert.deepEqual(shown.slice(0, 5), [
    [undefined, "loaded"],
    ["r-1", "START RequestId: r-1 Version: 3"],
    ["r-1", "deed one"],
    ["r-1", "END RequestId: r-1"],
    ["r-1", `${report("r-1")}\tInit Duration: N ms`],
  ]);
  const ofThrown = shown.filter(([id]) => id === "r-2");
  assert.deepEqual(ofThrown[0], ["r-2", "START RequestId: r-2 Version: 3"]);
  assert.deepEqual(ofThrown[1], ["r-2", "deed throw"]);
  assert.deepEqual(ofThrown.slice(-2), [
    ["r-2", "END RequestId: r-2"],
    ["r-2", report("r-2")],
  ]);
  assert.deepEqual(shown.filter(([id]) => id === "r-3").at(-1), [
    "r-3",
    `${report("r-3")}\tStatus: error\tError Type: Runtime.ExitError`,
  ]);
});

test("what becomes of environments is told: their starts, resets and memory, and none is left counted", async (t) => {
  const { told, counts, invoke, target } = await opened(t);
  await invoke("r-1", "one");
  assert.deepEqual(told, ["started", "memory"]);
  await invoke("r-2", "exit");
  assert.equal(told.includes("reset: exit"), true, told.join());
  assert.equal(counts.sum, 1);
  await invoke("r-3", "one");
  assert.equal(told.filter((each) => each === "started").length, 2);
  await target.close();
  assert.equal(counts.sum, 0);
});

test("a module in threads has the same lines around each call, also where it prints no end of a line", async (t) => {
  const folder = folderWith(t, {});
  const path = `${folder}/orders.mjs`;
  const code = `export const handler = async ({ deed }) => {
  process.stdout.write("deed " + deed);
  if (deed === "throw") throw new TypeError("no price");
  if (deed === "hang") await new Promise((resolve) => setTimeout(resolve, 3_600_000));
};`;
  writeFileSync(path, code);
  const lines: FunctionLogLine[] = [];
  const target = await openModule({
    ...{ functionName: "orders", version: "3", path, exportName: "handler", isolation: "thread" },
    ...{ concurrency: 1, memoryMb: 256, environment: {} },
    log: { line: (line) => void lines.push(line) },
  });
  t.after(() => target.close());
  const invoke = (requestId: string, deed: string, timeoutMs = 60_000) =>
    target.invoke(
      Buffer.from(JSON.stringify({ deed })),
      { requestId, functionName: "orders", functionArn: "arn", deadlineMs: 0, timeoutMs },
      new AbortController().signal,
    );
  await invoke("r-1", "sell");
  await invoke("r-2", "throw");
  await invoke("r-3", "hang", 4_000);
  const of = (id: string) => lines.filter(({ requestId }) => requestId === id).map(({ text }) => text);
  for (const [id, deed, end] of [
    ["r-1", "sell", ""],
    ["r-2", "throw", ""],
    ["r-3", "hang", "\tStatus: timeout"],
  ] as const) {
    const [start, printed, last, report = "", ...more] = of(id);
    assert.deepEqual([start, last, more], [`START RequestId: ${id} Version: 3`, `END RequestId: ${id}`, []]);
    assert.equal(printed, `deed ${deed}`);
    const text =
      /^REPORT RequestId: (\S+)\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB(.*)$/;
    assert.deepEqual(text.exec(report)?.slice(1), [id, end], report);
  }
});
