import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { clusterAccess } from "../../../src/kubernetes/cluster-access.ts";
import { Controller } from "../../../src/kubernetes/controller.ts";
import { KubeCluster } from "../../../src/kubernetes/kube-cluster.ts";
import type { Plane } from "../../../src/kubernetes/plane-standings.ts";
import type { Manifests } from "../../../src/manifests/load-manifests.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { createSystemRandom } from "../../../src/system/random.ts";
import { ApiServerTwin } from "../../contract/kubernetes/api-server-twin.ts";
import { until } from "../../integration/cli/millrace-process.ts";

const FUNCTION = { http: { url: "http://127.0.0.1:9/" } };
const ROUTE = { functionName: "orders", path: "/orders" };

interface Row {
  readonly kind: string;
  readonly name: string;
  isOrphaned: boolean;
  isChanging: boolean;
}

/** A controller on an API server, with a control plane that carries out nothing by itself. */
async function openController(t: TestContext, twin: ApiServerTwin, namespaces = ["shop"]) {
  const rows: Row[] = [];
  const applied: Manifests[] = [];
  const logged: string[] = [];
  const plane = {
    mappings: { list: async () => [] },
    resources: { declaredBy: async () => rows },
    refusals: [],
    toldFunctions: { troubleOf: () => undefined },
    explainAll: async () => ({ mappings: [], fine: 0, text: [], others: [] }),
    everywhere: async () => ({ nowMs: 0, processes: [], problem: undefined }),
  } as unknown as Plane;
  const controller = new Controller({
    cluster: new KubeCluster(clusterAccess(twin.kubeconfig, {})),
    namespaces,
    set: "kubernetes",
    context: { connectors: CONNECTORS, place: { region: "eu-west-1", account: "000000000000" } },
    folder: "/",
    plane: () => plane,
    apply: async (manifests) => {
      applied.push(manifests);
    },
    clock: createSystemClock(),
    random: createSystemRandom(),
    telemetry: { log: (_level, message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`) },
  });
  t.after(() => controller.stop());
  return { controller, rows, applied, logged };
}

async function openTwin(t: TestContext): Promise<ApiServerTwin> {
  const twin = new ApiServerTwin();
  await twin.start();
  t.after(() => twin.close());
  return twin;
}

const names = (manifests: Manifests | undefined) => manifests?.functions.map(({ name }) => name).toSorted();

test("all pages of all kinds are listed before anything is applied, and then each change is", async (t) => {
  const twin = await openTwin(t);
  for (const name of ["a", "b", "c", "d", "e"]) twin.apply("Function", name, FUNCTION);
  const { controller, applied } = await openController(t, twin);
  controller.start();
  await until(
    () => applied.length > 0,
    () => "nothing was applied",
  );
  assert.deepEqual(names(applied[0]), ["a", "b", "c", "d", "e"]);
  twin.apply("Function", "f", FUNCTION);
  await until(
    () => names(applied.at(-1))?.length === 6,
    () => `applied are ${names(applied.at(-1))}`,
  );
});

test("nothing that was not listed yet is taken for gone: with one kind refused nothing is applied", async (t) => {
  const twin = await openTwin(t);
  twin.apply("Function", "orders", FUNCTION);
  twin.refused.add("routes");
  const { controller, applied, logged } = await openController(t, twin);
  controller.start();
  await until(
    () => logged.some((line) => line.includes("forbidden")) && twin.asked.length >= 10,
    () => `logged is ${logged.join("\n")}`,
  );
  assert.match(
    logged.join("\n"),
    /list routes \(403\): routes\.millrace\.dev is forbidden\. Give its service account/,
  );
  assert.equal(applied.length, 0);
  twin.refused.clear();
  await until(
    () => applied.length > 0,
    () => "nothing was applied",
  );
});

test("a watch whose changes are forgotten begins anew with a list", async (t) => {
  const twin = await openTwin(t);
  twin.apply("Function", "orders", FUNCTION);
  const { controller, applied } = await openController(t, twin);
  controller.start();
  await until(
    () => applied.length > 0,
    () => "nothing was applied",
  );
  await twin.stop();
  twin.apply("Function", "late", FUNCTION);
  twin.compact();
  await twin.start();
  await until(
    () => names(applied.at(-1))?.includes("late") === true,
    () => `applied are ${names(applied.at(-1))}`,
  );
});

test("what is deleted stays until no process works on it, and a function until nothing names it", async (t) => {
  const twin = await openTwin(t);
  twin.apply("Function", "orders", FUNCTION);
  twin.apply("Route", "orders-route", ROUTE);
  const { controller, rows, applied } = await openController(t, twin);
  const route: Row = { kind: "Route", name: "orders-route", isOrphaned: false, isChanging: false };
  rows.push({ kind: "Function", name: "orders", isOrphaned: false, isChanging: false }, route);
  controller.start();
  const finalizers = () => twin.get("Route", "orders-route")?.metadata.finalizers;
  await until(
    () => finalizers()?.includes("millrace.dev/drain") === true,
    () => `finalizers are ${finalizers()}`,
  );
  twin.delete("Function", "orders");
  const reason = () => {
    const status = twin.get("Function", "orders")?.status as
      | { conditions?: { reason: string }[] }
      | undefined;
    return status?.conditions?.map((each) => each.reason).join(" ");
  };
  await until(
    () => reason() === "Accepted InUse",
    () => `the function is ${reason()}`,
  );
  assert.deepEqual(names(applied.at(-1)), ["orders"]);
  twin.delete("Route", "orders-route");
  await until(
    () => applied.at(-1)?.routes === undefined,
    () => "the route is applied on",
  );
  route.isOrphaned = true;
  route.isChanging = true;
  await until(
    () => reason() === "Accepted Deleting",
    () => `the function is ${reason()}`,
  );
  assert.notEqual(twin.get("Route", "orders-route"), undefined, "a process still works on it");
  route.isChanging = false;
  for (const row of rows) row.isOrphaned = true;
  await until(
    () => twin.get("Route", "orders-route") === undefined && twin.get("Function", "orders") === undefined,
    () => "they are not gone",
  );
});

test("an object whose name is another's in another namespace is refused, and goes when it is deleted", async (t) => {
  const twin = await openTwin(t);
  twin.apply("Function", "orders", FUNCTION);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  twin.apply("Function", "orders", FUNCTION, "pay");
  const { controller, rows } = await openController(t, twin, ["shop", "pay"]);
  rows.push({ kind: "Function", name: "orders", isOrphaned: false, isChanging: false });
  controller.start();
  const told = (namespace: string) => JSON.stringify(twin.get("Function", "orders", namespace)?.status ?? {});
  await until(
    () => told("shop").includes("Running") && told("pay").includes("There is another Function of this name"),
    () => `shop: ${told("shop")}, pay: ${told("pay")}`,
  );
  assert.match(told("pay"), /Nothing of it runs\./);
  twin.delete("Function", "orders", "pay");
  await until(
    () => twin.get("Function", "orders", "pay") === undefined,
    () => `pay: ${told("pay")}`,
  );
  assert.notEqual(twin.get("Function", "orders", "shop"), undefined);
});

test("objects that the server lets nobody write to run all the same, and the others are told of", async (t) => {
  const twin = await openTwin(t);
  twin.apply("Function", "closed", FUNCTION);
  twin.apply("Function", "orders", FUNCTION);
  twin.unwritable.add("closed");
  const { controller, rows, applied, logged } = await openController(t, twin);
  for (const name of ["closed", "orders"])
    rows.push({ kind: "Function", name, isOrphaned: false, isChanging: false });
  controller.start();
  await until(
    () => twin.get("Function", "orders")?.status !== undefined,
    () => logged.join("\n"),
  );
  assert.deepEqual(names(applied.at(-1)), ["closed", "orders"]);
  assert.match(logged.join("\n"), /could not be written to.*Function shop\/closed/);
});
