import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFunction } from "../../../src/control/functions/explain-function.ts";
import type { WholeView } from "../../../src/control/whole-view.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import { EnvironmentSeries } from "../../../src/telemetry/environment-series.ts";
import { ControlWorld, functionNamed, STREAM_SPEC } from "./control-world.ts";
import { seenProcess } from "./seen-process.ts";

const HOSTED: FunctionResource = functionNamed("orders");
const PARTS = { problem: undefined, errors: { errors: [], leftOut: 0 }, mappings: [], mayInspect: false };

function seen(...each: readonly EnvironmentSeries[]): WholeView {
  const processes = each.map((series, index) => {
    const process = seenProcess(`p${index}`, 0, 1);
    return { ...process, snapshot: { ...process.snapshot, functions: [series.figures()] } };
  });
  return { nowMs: Date.now(), processes, problem: undefined };
}

function running(memoryMb: number): EnvironmentSeries {
  const series = new EnvironmentSeries("orders");
  series.moved(undefined, "stopped");
  series.moved("stopped", "starting");
  series.started(120);
  series.moved("starting", "idle");
  series.memory(memoryMb);
  return series;
}

test("a function is explained by its environments, cold starts and memory over all processes", () => {
  const busy = running(61);
  busy.moved("idle", "busy");
  busy.reset("timeout");
  const { text, environments } = explainFunction(HOSTED, seen(running(40), busy), PARTS);
  assert.deepEqual(text, [
    "function orders",
    "  environments of orders: 2 (1 idle, 1 busy)",
    "  cold starts: 2 in the last five minutes, 2 in all, the last in 120 ms; resets: 1",
    "  memory: 61 MB at most in one environment",
  ]);
  assert.equal(environments?.processes, 2);
});

test("what separates its environments is told by name, each kind once, and of threads nothing else", () => {
  const [first, second] = [running(40), running(40)];
  const cgroup = { isolation: "cgroup v2", storage: "watched" } as const;
  const group = { isolation: "group", storage: "watched" } as const;
  for (const separation of [cgroup, group, group]) first.opened(separation);
  second.opened({ isolation: "wrapper bwrap", storage: "hard" });
  const { text, environments } = explainFunction(HOSTED, seen(first, second), PARTS);
  assert.deepEqual(
    environments?.separations.map(({ isolation }) => isolation),
    ["cgroup v2", "group", "wrapper bwrap"],
  );
  assert.deepEqual(text.slice(2, 5), [
    "  isolation: cgroup v2, ephemeral storage is watched",
    "  isolation: group, ephemeral storage is watched",
    "  isolation: wrapper bwrap, ephemeral storage is bounded by the wrapper",
  ]);
  first.closed(group);
  assert.equal(first.figures().separations?.length, 2);
  first.closed(group);
  assert.deepEqual(first.figures().separations, [cgroup]);
  const threads = new EnvironmentSeries("orders");
  threads.opened({ isolation: "thread", storage: "unbounded" });
  assert.deepEqual(explainFunction(HOSTED, seen(threads), PARTS).text, [
    "function orders",
    "  isolation: thread, ephemeral storage is not bounded",
  ]);
});

test("why it cannot start is said until a start succeeds, with the way to what it printed", () => {
  const series = new EnvironmentSeries("orders");
  series.startFailed("Runtime.InvalidEntrypoint");
  const failing = explainFunction(HOSTED, seen(series), PARTS);
  assert.equal(failing.environments?.failing?.errorType, "Runtime.InvalidEntrypoint");
  assert.match(
    failing.text.join("\n"),
    /CANNOT START: its last start failed 0 s ago: Runtime.InvalidEntrypoint/,
  );
  assert.match(failing.text.join("\n"), /millrace logs orders/);
  series.started(10);
  assert.doesNotMatch(explainFunction(HOSTED, seen(series), PARTS).text.join("\n"), /CANNOT START/);
});

test("explain of a name that only a function has explains the function, and names its mappings", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  const answer = plane.toldFunctions.explain("orders", false);
  await world.pass(3_000);
  const explained = await answer;
  assert.equal(explained?.function, "orders");
  assert.equal(explained?.mappings.length, 1);
  assert.equal(await plane.toldFunctions.explain("nobody", false), undefined);
});
