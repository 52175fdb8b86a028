import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { CONNECTORS } from "../../connectors/registry.ts";
import { customResourcesText } from "../../src/manifests/custom-resources.ts";
import { httpFunction, MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import {
  ADMIN_TOKEN,
  ENGINE_TOKEN,
  hasKubernetes,
  type KubernetesServer,
  startKubernetes,
} from "./kubernetes-server.ts";

const skip = hasKubernetes() ? false : "the API server is not built: npm run test:servers:all builds it";
const KINDS = ["functions", "eventsourcemappings", "routes", "schedules", "rules"];
/** As the chart's role. */
const RULES = [
  { apiGroups: ["millrace.dev"], resources: KINDS, verbs: ["get", "list", "watch", "patch"] },
  { apiGroups: ["millrace.dev"], resources: KINDS.map((kind) => `${kind}/status`), verbs: ["get", "patch"] },
];

describe("an API server of Kubernetes", { skip }, () => {
  let kubernetes: KubernetesServer;
  before(async () => {
    kubernetes = await startKubernetes();
    for (const definition of parseAllDocuments(customResourcesText(CONNECTORS)))
      await kubernetes.ask(
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        definition.toJS(),
      );
    for (const plural of KINDS)
      await until(
        () => served(plural),
        () => `${plural} is not served`,
      );
    const role = { metadata: { name: "millrace" }, rules: RULES };
    await kubernetes.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role);
  });
  after(() => kubernetes.close());

  const served = (plural: string) =>
    kubernetes.ask("GET", `/apis/millrace.dev/v1/${plural}`).then(
      () => true,
      () => false,
    );
  const place = (namespace: string, kind: string, name = "") =>
    `/apis/millrace.dev/v1/namespaces/${namespace}/${kind}${name === "" ? "" : `/${name}`}`;
  const create = (namespace: string, kind: string, name: string, spec: object) =>
    kubernetes.ask("POST", place(namespace, `${kind.toLowerCase()}s`), {
      ...{ apiVersion: "millrace.dev/v1", kind, metadata: { name }, spec },
    });

  /** A namespace whose resources the engine may run. */
  async function allow(namespace: string): Promise<void> {
    await kubernetes.ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    await bind(namespace);
  }

  const bind = (namespace: string) =>
    kubernetes.ask("POST", `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      metadata: { name: "millrace" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "millrace" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "engine" }],
    });

  async function start(t: TestContext, namespace: string) {
    const folder = mkdtempSync(join(tmpdir(), "millrace-kubernetes-run-"));
    const file = openStreamFile(join(folder, "streams.db"));
    const stream = file.createStream({ name: "orders", shards: 1 });
    t.after(() => {
      file.close();
      rmSync(folder, { recursive: true });
    });
    const { url, seen } = await httpFunction(t, (_event, response) => response.end());
    const kubeconfig = await kubernetes.kubeconfig("engine", namespace);
    const run: MillraceProcess = new MillraceProcess(
      t,
      [
        ...["run", "--kubernetes", "--kubeconfig", kubeconfig, "--api", "127.0.0.1:0"],
        ...["--store", `sqlite:${join(folder, "store.db")}`, "--checkpoint-interval-ms", "50"],
      ],
      folder,
    );
    const spec = (functionName: string) => ({
      functionName,
      eventSourceArn: "arn:aws:local:eu-west-1:000000000000:stream/orders",
      endpoints: { LOCAL_FILE: [join(folder, "streams.db")] },
      startingPosition: "TRIM_HORIZON",
    });
    return { run, url, seen, stream, spec };
  }

  async function stands(namespace: string, kind: string, name: string, expected: string): Promise<void> {
    let told: unknown;
    await until(
      async () => {
        const { status } = await kubernetes.ask("GET", place(namespace, kind, name));
        told = status;
        const conditions = (status as { conditions?: { type: string; status: string; reason: string }[] })
          ?.conditions;
        const ready = conditions?.find(({ type }) => type === "Ready");
        return `${ready?.status} ${ready?.reason}` === expected;
      },
      () => `${kind} ${name} is ${JSON.stringify(told)}`,
    );
  }

  const isGone = (namespace: string, kind: string, name: string) =>
    kubernetes.ask("GET", place(namespace, kind, name)).then(
      () => false,
      (error: Error) => error.message.includes(": 404 "),
    );

  test("takes all definitions, refuses what their schemas refuse and writes no defaults", async () => {
    await allow("schema");
    await assert.rejects(
      create("schema", "EventSourceMapping", "bad", { functionName: "orders", batchSize: 0 }),
      /spec\.batchSize.*greater than or equal to 1/,
    );
    await assert.rejects(
      create("schema", "Schedule", "bad", { target: { arn: "orders" } }),
      /scheduleExpression/,
    );
    const { spec } = await create("schema", "Function", "orders", { http: { url: "http://127.0.0.1:9/" } });
    assert.deepEqual(spec, { http: { url: "http://127.0.0.1:9/" } });
    const settings = { custom: { kind: "toy", settings: { deep: { any: [1, "a"] } } } };
    assert.deepEqual(
      (await create("schema", "Function", "toy", settings))["spec"],
      settings,
      "nothing is pruned",
    );
    const rule = {
      eventPattern: { source: ["a"], detail: { n: [{ numeric: [">", 1] }] } },
      targets: [{ id: "a", arn: "orders" }],
    };
    assert.deepEqual((await create("schema", "Rule", "orders", rule))["spec"], rule);
  });

  test("runs, tells and drains objects by the chart's role, over a crash of the API server", async (t) => {
    await allow("shop");
    const { run, url, seen, stream, spec } = await start(t, "shop");
    await create("shop", "Function", "orders", { http: { url } });
    await create("shop", "EventSourceMapping", "orders-stream", spec("orders"));
    stream.append([{ partitionKey: "a", data: "1" }]);
    await stands("shop", "eventsourcemappings", "orders-stream", "True Running");
    await until(
      () => seen.length === 1,
      () => `${seen.length} were seen: ${run.stderr}`,
    );
    const mapping = await kubernetes.ask("GET", place("shop", "eventsourcemappings", "orders-stream"));
    assert.equal((mapping["status"] as { observedGeneration: number }).observedGeneration, 1);
    assert.equal((mapping["metadata"] as { generation: number }).generation, 1);

    await kubernetes.stop();
    await run.logged("custom resources cannot be watched; what was known of them stays in force");
    stream.append([{ partitionKey: "a", data: "2" }]);
    await until(
      () => seen.length === 2,
      () => `${seen.length} were seen: ${run.stderr}`,
    );
    await kubernetes.start();
    await kubernetes.ask("PATCH", place("shop", "eventsourcemappings", "orders-stream"), {
      spec: { enabled: false },
    });
    await stands("shop", "eventsourcemappings", "orders-stream", "False Disabled");
    await kubernetes.ask("PATCH", place("shop", "eventsourcemappings", "orders-stream"), {
      spec: { enabled: null },
    });
    await stands("shop", "eventsourcemappings", "orders-stream", "True Running");

    await kubernetes.ask("DELETE", place("shop", "functions", "orders"));
    await stands("shop", "functions", "orders", "False InUse");
    await kubernetes.ask("DELETE", place("shop", "eventsourcemappings", "orders-stream"));
    await until(
      async () =>
        (await isGone("shop", "eventsourcemappings", "orders-stream")) &&
        (await isGone("shop", "functions", "orders")),
      () => `not deleted: ${run.stderr}`,
    );
    run.kill("SIGTERM");
    assert.deepEqual(await run.ended, { status: 0, signal: null });
    for (const token of [ADMIN_TOKEN, ENGINE_TOKEN]) assert.ok(!run.stderr.includes(token));
  });

  test("that refuses is told of in its words with the way out, and is asked again", async (t) => {
    await kubernetes.ask("POST", "/api/v1/namespaces", { metadata: { name: "closed" } });
    await create("closed", "Function", "orders", { http: { url: "http://127.0.0.1:9/" } });
    const { run } = await start(t, "closed");
    const refused = await run.logged(
      "custom resources cannot be watched; what was known of them stays in force",
    );
    assert.match(
      String(refused["error"]),
      /User "engine" cannot list resource .*Give its service account the role/,
    );
    await bind("closed");
    await stands("closed", "functions", "orders", "True Running");
  });

  test("with five hundred mappings that restarts leaves all of them as they are", async (t) => {
    await allow("many");
    const { run, url, spec } = await start(t, "many");
    await create("many", "Function", "orders", { http: { url } });
    const count = 500;
    for (let index = 0; index < count; index++)
      await create("many", "EventSourceMapping", `orders-${index}`, {
        ...spec("orders"),
        enabled: index === 0,
        eventSourceArn: `arn:aws:local:eu-west-1:000000000000:stream/${index === 0 ? "orders" : `other-${index}`}`,
      });
    await stands("many", "eventsourcemappings", `orders-${count - 1}`, "False Disabled");
    await stands("many", "eventsourcemappings", "orders-0", "True Running");
    const applied = () =>
      run.logs().filter(({ message }) => message === "manifests read again and applied").length;
    const started = () => run.logs().filter(({ message }) => message === "mapping started").length;
    const before = [applied(), started()];
    await kubernetes.stop();
    await run.logged("custom resources cannot be watched; what was known of them stays in force");
    await kubernetes.start();
    await create("many", "Function", "late", { http: { url } });
    await stands("many", "functions", "late", "True Running");
    assert.deepEqual(
      [applied() - (before[0] ?? 0), started()],
      [1, before[1]],
      "one change, and nothing restarts",
    );
  });
});
