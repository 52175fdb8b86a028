import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { CONNECTORS } from "../../connectors/registry.ts";
import { customResourcesText } from "../../src/manifests/custom-resources.ts";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import { type KafkaServer, startKafka } from "./kafka.ts";
import { hasKubernetes, type KubernetesServer, startKubernetes } from "./kubernetes-server.ts";

const skip = hasKubernetes() ? false : "the API server is not built: npm run test:servers:all builds it";
const KINDS = ["functions", "eventsourcemappings", "routes", "schedules", "rules"];
const WRONG = "canary-password-of-before";
/** As the chart's role: what objects name is read by name alone. */
const RULES = [
  { apiGroups: ["millrace.dev"], resources: KINDS, verbs: ["get", "list", "watch", "patch"] },
  { apiGroups: ["millrace.dev"], resources: KINDS.map((kind) => `${kind}/status`), verbs: ["get", "patch"] },
  { apiGroups: [""], resources: ["secrets"], resourceNames: ["kafka-login"], verbs: ["get"] },
  { apiGroups: [""], resources: ["configmaps"], resourceNames: ["kafka-ca"], verbs: ["get"] },
];

describe("a Secret of Kubernetes that rotates", { skip }, () => {
  let kubernetes: KubernetesServer;
  let kafka: KafkaServer;
  before(async () => {
    [kubernetes, kafka] = await Promise.all([startKubernetes(), startKafka({ secure: true })]);
  });
  after(async () => {
    await kafka.close();
    await kubernetes.close();
  });
  const post = (path: string, body: object) => kubernetes.ask("POST", path, body);
  const rbac = "/apis/rbac.authorization.k8s.io/v1";

  /** A namespace with the definitions and the role, and what its objects name. */
  async function prepare(): Promise<void> {
    for (const definition of parseAllDocuments(customResourcesText(CONNECTORS)))
      await post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition.toJS());
    const served = (plural: string) =>
      kubernetes.ask("GET", `/apis/millrace.dev/v1/${plural}`).then(
        () => true,
        () => false,
      );
    for (const plural of KINDS)
      await until(
        () => served(plural),
        () => `${plural} is not served`,
      );
    await post("/api/v1/namespaces", { metadata: { name: "shop" } });
    await post(`${rbac}/namespaces/shop/roles`, { metadata: { name: "millrace" }, rules: RULES });
    await post(`${rbac}/namespaces/shop/rolebindings`, {
      metadata: { name: "millrace" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "millrace" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "engine" }],
    });
    const { certificates } = kafka;
    await post("/api/v1/namespaces/shop/secrets", {
      metadata: { name: "kafka-login" },
      stringData: { username: "reader", password: WRONG },
    });
    await post("/api/v1/namespaces/shop/configmaps", {
      metadata: { name: "kafka-ca" },
      data: { "ca.json": JSON.stringify({ certificate: certificates.ca }) },
    });
  }

  const objects = (plural: string) => `/apis/millrace.dev/v1/namespaces/shop/${plural}`;
  const statusOf = async (name: string) =>
    JSON.stringify(
      (await kubernetes.ask("GET", `${objects("eventsourcemappings")}/${name}`))["status"] ?? {},
    );

  test("Kafka is read with the new one, its neighbour goes on, and nobody is shown any of it", async (t) => {
    await prepare();
    await kafka.admin.createTopics({
      topics: [{ topic: "orders" }, { topic: "open" }],
      waitForLeaders: true,
    });
    const { url, seen } = await eventsOf(t);
    const folder = mkdtempSync(join(tmpdir(), "millrace-rotation-"));
    t.after(() => rmSync(folder, { recursive: true }));
    await post(objects("functions"), object("Function", "orders", { http: { url } }));
    const topic = (name: string, listener: "SASL_SSL" | "PLAINTEXT", own: object) => ({
      functionName: "orders",
      selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap(listener) } },
      ...{ topics: [name], startingPosition: "TRIM_HORIZON", maximumBatchingWindowInSeconds: 0, ...own },
    });
    const logins = [
      { type: "SASL_SCRAM_512_AUTH", uri: "secret:kafka-login" },
      { type: "SERVER_ROOT_CA_CERTIFICATE", uri: "configmap:kafka-ca/ca.json" },
    ];
    const locked = topic("orders", "SASL_SSL", { sourceAccessConfigurations: logins });
    const open = topic("open", "PLAINTEXT", { sourceAccessConfigurations: [] });
    await post(objects("eventsourcemappings"), object("EventSourceMapping", "orders", locked));
    await post(objects("eventsourcemappings"), object("EventSourceMapping", "open", open));
    const kubeconfig = await kubernetes.kubeconfig("engine", "shop");
    const words = ["run", "--kubernetes", "--kubeconfig", kubeconfig, "--api", "127.0.0.1:0"];
    const folders = ["--store", "sqlite:store.db", "--secrets-folder", "secrets"];
    const run = new MillraceProcess(t, [...words, ...folders], folder);
    const producer = kafka.client.producer();
    await producer.connect();
    t.after(() => producer.disconnect());
    const send = (name: string, value: string) => producer.send({ topic: name, messages: [{ value }] });
    await send("open", "first");
    await send("orders", "waits");
    await until(
      () => seen.includes("first"),
      () => `the neighbour does not run: ${run.stderr.slice(-3_000)}`,
    );
    await until(
      async () =>
        /"type":"Ready","status":"False"|"status":"False","type":"Ready"/.test(await statusOf("orders")),
      () => "a wrong password is not told",
    );
    assert.ok(!seen.includes("waits"));
    await kubernetes.ask("PATCH", "/api/v1/namespaces/shop/secrets/kafka-login", {
      stringData: { password: "reader-secret" },
    });
    await until(
      () => seen.includes("waits"),
      () => `the new password is not taken: ${run.stderr.slice(-3_000)}`,
    );
    await send("open", "second");
    await until(
      () => seen.includes("second"),
      () => "the neighbour does not go on",
    );
    assert.deepEqual(seen.toSorted(), ["first", "second", "waits"], "each came once");
    const restarts = run
      .logs()
      .filter(({ mapping, message }) => mapping === "open" && /stopped/.test(message));
    assert.deepEqual(restarts, []);
    const api = await run.apiUrl();
    const shown = await (await fetch(`${api}/2015-03-31/event-source-mappings/`)).text();
    const told = [run.stderr, run.stdout, shown, await statusOf("orders")].join("\n");
    assert.doesNotMatch(told, /canary|reader-secret/);
  });
});

function object(kind: string, name: string, spec: object): object {
  return { apiVersion: "millrace.dev/v1", kind, metadata: { name }, spec };
}

/** A function behind HTTP that notes the values of all records of Kafka. */
async function eventsOf(t: TestContext): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { records } = JSON.parse(Buffer.concat(chunks).toString()) as {
        records: Readonly<Record<string, readonly { value: string }[]>>;
      };
      for (const { value } of Object.values(records).flat())
        seen.push(Buffer.from(value, "base64").toString());
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}/`, seen };
}
