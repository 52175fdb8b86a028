import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { clusterAccess } from "../../../src/kubernetes/cluster-access.ts";
import { Controller } from "../../../src/kubernetes/controller.ts";
import { KubeApi } from "../../../src/kubernetes/kube-api.ts";
import { KubeCluster } from "../../../src/kubernetes/kube-cluster.ts";
import { KubeValues } from "../../../src/kubernetes/kube-values.ts";
import type { Plane } from "../../../src/kubernetes/plane-standings.ts";
import { ValueFiles } from "../../../src/kubernetes/value-files.ts";
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
  const api = new KubeApi(clusterAccess(twin.kubeconfig, {}));
  const secrets = mkdtempSync(join(tmpdir(), "millrace-secrets-"));
  t.after(() => rmSync(secrets, { recursive: true }));
  const controller = new Controller({
    cluster: new KubeCluster(api),
    values: new KubeValues(api),
    files: new ValueFiles(secrets),
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

const TOPIC = {
  functionName: "orders",
  selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:9092"] } },
  startingPosition: "TRIM_HORIZON",
};
const login = (uri: string) => ({ sourceAccessConfigurations: [{ type: "SASL_SCRAM_512_AUTH", uri }] });
const CANARY = "canary-password-of-a-secret";

test("a secret that rotates is another file for the mapping that names it, and for no other", async (t) => {
  const twin = await openTwin(t);
  const rotate = (version: number) =>
    twin.values.set("secrets shop/login", {
      version,
      texts: { username: "ada", password: `${CANARY}-${version}` },
    });
  rotate(1);
  twin.values.set("configmaps shop/ca", { version: 1, texts: { "ca.json": '{"certificate":"pem"}' } });
  twin.apply("Function", "orders", FUNCTION);
  const spec = (topic: string, uri: string) => ({ ...TOPIC, topics: [topic], ...login(uri) });
  twin.apply("EventSourceMapping", "rotating", spec("a", "secret:login"));
  twin.apply("EventSourceMapping", "steady", spec("b", "configmap:ca/ca.json"));
  const { controller, applied, logged } = await openController(t, twin);
  controller.start();
  const uriOf = (name: string) => {
    const found = applied.at(-1)?.mappings.find((each) => each.mapping.name === name);
    return JSON.stringify(found?.settings.own ?? "").match(/file:([^"]+)/)?.[1] ?? "";
  };
  await until(
    () => uriOf("rotating") !== "",
    () => `nothing was applied: ${logged}`,
  );
  const [before, steady] = [uriOf("rotating"), uriOf("steady")];
  assert.deepEqual(JSON.parse(readFileSync(before, "utf8")), { username: "ada", password: `${CANARY}-1` });
  assert.equal(readFileSync(steady, "utf8"), '{"certificate":"pem"}');
  assert.equal(statSync(before).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(before)).mode & 0o777, 0o700);
  rotate(2);
  await until(
    () => uriOf("rotating") !== before,
    () => "the rotated secret is not followed",
    60_000,
  );
  assert.equal(JSON.parse(readFileSync(uriOf("rotating"), "utf8")).password, `${CANARY}-2`);
  assert.equal(uriOf("steady"), steady);
  assert.doesNotMatch(
    JSON.stringify([applied, logged, twin.get("EventSourceMapping", "rotating")]),
    /canary/,
  );
});

test("a secret that is not there, or may not be read, is told at the object, and its neighbours run", async (t) => {
  const twin = await openTwin(t);
  twin.refused.add("secrets shop/hidden");
  twin.values.set("secrets shop/login", { version: 1, texts: { username: CANARY } });
  twin.apply("Function", "orders", FUNCTION);
  for (const [name, uri] of [
    ["missing", "secret:nobody"],
    ["hidden", "secret:hidden/login.json"],
    ["keyless", "secret:login/login.json"],
  ] as const)
    twin.apply("EventSourceMapping", name, { ...TOPIC, topics: [name], ...login(uri) });
  const { controller, applied } = await openController(t, twin);
  controller.start();
  const messageOf = (name: string) => JSON.stringify(twin.get("EventSourceMapping", name)?.status ?? "");
  for (const [name, message] of [
    ["missing", /secret nobody of the namespace shop is not there/],
    ["hidden", /may not be read\. Name it in kubernetes\.secrets of the chart/],
    ["keyless", /has no key login\.json/],
  ] as const)
    await until(
      () => message.test(messageOf(name)),
      () => `${name}: ${messageOf(name)}`,
    );
  assert.deepEqual(names(applied.at(-1)), ["orders"]);
  assert.doesNotMatch(messageOf("keyless"), /canary/);
});
