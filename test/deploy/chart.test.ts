import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { CONNECTORS } from "../../connectors/registry.ts";
import { sha256 } from "../../src/api/access-credentials.ts";
import { attachCommand } from "../../src/cli/attach.ts";
import { parseFlags } from "../../src/cli/parse-flags.ts";
import { runCommand } from "../../src/cli/run.ts";
import { parseStoreUrl } from "../../src/cli/store-url.ts";
import {
  CHART,
  EXAMPLES,
  engineIn,
  exampleFile,
  helm,
  type KubernetesObject,
  only,
  rendered,
  renderedText,
  tryRender,
} from "./chart.ts";
import { kubeconform, podSecurity } from "./chart-checks.ts";
import { validateManifests } from "./rendered-manifests.ts";
import { KUBERNETES_VERSION } from "./tools/kubernetes-schemas.ts";

describe("the chart", () => {
  test("passes helm lint with every example", () => {
    for (const name of EXAMPLES) {
      const words = [
        "lint",
        CHART,
        "--strict",
        "--kube-version",
        KUBERNETES_VERSION,
        "-f",
        exampleFile(name),
      ];
      const { status, stdout, stderr } = helm(words);
      assert.equal(status, 0, `${name}: ${stdout}${stderr}`);
    }
  });

  for (const name of EXAMPLES) {
    test(`makes objects that Kubernetes and its operators know: ${name}`, () => {
      assert.deepEqual(kubeconform(renderedText(name)), []);
    });

    test(`makes pods that the profile restricted admits: ${name}`, () => {
      const objects = rendered(name);
      for (const { kind, metadata, spec } of objects) {
        if (kind !== "Deployment") continue;
        assert.equal(podSecurity(spec.template), "allowed", metadata.name);
        for (const container of spec.template.spec.containers)
          assert.equal(container.securityContext.readOnlyRootFilesystem, true);
      }
      const { args, automountServiceAccountToken } = {
        ...engineIn(objects),
        ...engineIn(objects).containers[0],
      };
      // The controller alone asks the API server.
      const isController = args.some((word: string) => word.startsWith("--kubernetes"));
      assert.equal(automountServiceAccountToken, isController);
    });

    test(`starts millrace with flags that it knows, in a pod that outlives its drain: ${name}`, () => {
      const spec = engineIn(rendered(name));
      const [command, ...words] = spec.containers[0].args;
      assert.equal(command, "run");
      const flags = parseFlags(runCommand, words);
      assert.doesNotThrow(() => parseStoreUrl(flags.get("store")?.[0] ?? ""));
      const drainSeconds = Number(flags.get("drain-seconds")?.[0]);
      assert(spec.terminationGracePeriodSeconds >= drainSeconds + 15, "the last checkpoints take 5 s");
    });

    test(`holds manifests that millrace takes: ${name}`, () => {
      assert.deepEqual(validateManifests(rendered(name), CONNECTORS), []);
    });
  }

  test("runs custom resources of the namespaces that are named, with a role in each or one for all", () => {
    const roles = (namespaces: readonly string[]) =>
      rendered("custom-resources", { kubernetes: { namespaces } })
        .filter(({ kind }) => /Role/.test(kind))
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? "*"}`);
    assert.deepEqual(roles(["pay"]), ["Role pay", "RoleBinding pay"]);
    assert.deepEqual(roles([]), ["Role pollers-ns", "RoleBinding pollers-ns"], "the release's own");
    assert.deepEqual(roles(["*"]), ["ClusterRole *", "ClusterRoleBinding *"]);
    const { args, volumeMounts } = only(rendered("custom-resources"), "Deployment").spec.template.spec
      .containers[0];
    assert.deepEqual(
      args.filter((word: string) => /kubernetes|filename|revision/.test(word)),
      ["--kubernetes=shop", "--kubernetes=pay", "--kubernetes=default"],
    );
    assert.ok(!volumeMounts.some(({ mountPath }: { mountPath: string }) => mountPath === "/etc/millrace"));
  });

  test("lets invocations end that began when the stop came: the drain is as long as the longest function", () => {
    const args = only(rendered("keda-dynamodb"), "Deployment").spec.template.spec.containers[0].args;
    assert(args.includes("--drain-seconds=900"), "its function may take 900 s");
    const least = only(rendered("minimal"), "Deployment").spec.template.spec.containers[0].args;
    assert(least.includes("--drain-seconds=25"));
  });

  test("replaces pods one by one on a shared store, and never runs two on a file", () => {
    const shared = only(rendered("kafka-postgres"), "Deployment").spec.strategy;
    assert.deepEqual(shared, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    assert.deepEqual(only(rendered("minimal"), "Deployment").spec.strategy, { type: "Recreate" });
  });

  test("runs an image that is left as it is beside its sidecar, one call for each pod, behind a headless Service", () => {
    const attachedFunctions = [
      { name: "orders", image: "registry/orders:1", replicas: 3, timeoutSeconds: 60 },
    ];
    const objects = rendered("minimal", { attachedFunctions }).filter(
      ({ metadata }) => metadata.name === "shop-millrace-orders",
    );
    const { spec: service } = only(objects, "Service");
    assert.equal(service.clusterIP, "None");
    assert.notDeepEqual(service.selector, only(rendered("minimal"), "Service").spec.selector);
    const { spec } = only(objects, "Deployment");
    assert.equal(spec.replicas, 3);
    assert.equal(spec.template.spec.shareProcessNamespace, true);
    assert(spec.template.spec.terminationGracePeriodSeconds > 60);
    const [sidecar, image] = spec.template.spec.containers;
    const [command, ...words] = sidecar.args;
    assert.equal(command, "attach");
    const flags = parseFlags(attachCommand, words);
    const runtime = flags.get("runtime")?.[0];
    assert(
      image.env.some((each: object) =>
        isDeepStrictEqual(each, { name: "AWS_LAMBDA_RUNTIME_API", value: runtime }),
      ),
    );
    assert.equal(image.image, "registry/orders:1");
    assert.equal(image.command, undefined);
    const port = Number(flags.get("health")?.[0]?.split(":")[1]);
    assert.deepEqual(image.livenessProbe, {
      httpGet: { path: "/", port },
      periodSeconds: 1,
      timeoutSeconds: 1,
      failureThreshold: 1,
      terminationGracePeriodSeconds: 1,
    });
  });

  test("replaces the pods when a manifest changes", () => {
    const annotations = (values: object) =>
      only(rendered("minimal", values), "Deployment").spec.template.metadata.annotations;
    assert.notDeepEqual(annotations({}), annotations({ manifests: { files: { "a.mjs": "export {}" } } }));
    assert.deepEqual(annotations({}), annotations({ logLevel: "warn" }));
  });

  test("passes the release's revision with the manifests, or one of the operator's, or none", () => {
    const revisions = (values: object): readonly string[] =>
      only(rendered("minimal", values), "Deployment").spec.template.spec.containers[0].args.filter(
        (word: string) => word.startsWith("--manifest-revision"),
      );
    assert.deepEqual(revisions({}), ["--manifest-revision=1"]);
    assert.deepEqual(revisions({ manifests: { revision: 20260101 } }), ["--manifest-revision=20260101"]);
    assert.deepEqual(revisions({ manifests: { revision: 0 } }), []);
  });

  test("puts no secret into an object: passwords and credentials come by reference", () => {
    const { env } = only(rendered("everything"), "Deployment").spec.template.spec.containers[0];
    const password = env.find(({ name }: { name: string }) => name === "PGPASSWORD");
    assert.deepEqual(password.valueFrom, { secretKeyRef: { name: "millrace-db", key: "password" } });
    assert.deepEqual(
      rendered("everything").filter(({ kind }) => kind === "Secret"),
      [],
    );
  });

  test("opens the API only to callers that it knows, under the names of its Service", () => {
    const { args } = only(rendered("everything"), "Deployment").spec.template.spec.containers[0];
    for (const flag of [
      "--api=0.0.0.0:8080",
      "--api-host=pollers.pollers-ns.svc",
      "--api-host=millrace.example.com",
    ]) {
      assert(args.includes(flag), flag);
    }
    const closed = only(rendered("minimal"), "Deployment").spec.template.spec.containers[0];
    assert(closed.args.includes("--api=127.0.0.1:8080"));
    assert(!closed.ports.some(({ name }: { name: string }) => name === "api"));
  });

  test("serves producers and HTTP requests by ports of their own, which its Service and its policy know", () => {
    const objects = rendered("embedded-sources");
    const [container] = only(objects, "Deployment").spec.template.spec.containers;
    for (const flag of [
      "--api=127.0.0.1:8080",
      "--sources-api=0.0.0.0:8081",
      "--api-credentials=/etc/millrace-api/credentials.yaml",
      "--front=0.0.0.0:8082",
      "--front-domain=functions.example.com",
      "--front-trust-proxy=10.0.0.0/8",
    ]) {
      assert(container.args.includes(flag), flag);
    }
    const ports = (list: readonly { name: string; port?: number; containerPort?: number }[]) =>
      list.map(({ name, port, containerPort }) => [name, port ?? containerPort]).toSorted();
    const wanted = [
      ["front", 8082],
      ["front-redirect", 8083],
      ["metrics", 9090],
      ["sources-api", 8081],
    ];
    assert.deepEqual(ports(container.ports), wanted);
    assert.deepEqual(ports(only(objects, "Service").spec.ports), wanted);
    const open = only(objects, "NetworkPolicy").spec.ingress.flatMap(
      (each: { ports: readonly { port: string }[] }) => each.ports.map(({ port }) => port),
    );
    assert.deepEqual(open.toSorted(), ["front", "front-redirect", "metrics", "sources-api"]);
    const closed = only(rendered("minimal"), "Deployment").spec.template.spec.containers[0];
    assert(!closed.args.some((word: string) => /^--(front|sources-api)/.test(word)));
  });

  test("refuses producers without callers that it knows, and over a store without a volume", () => {
    const sourcesApi = { enabled: true };
    assert.match(tryRender("minimal", { sourcesApi }).stderr, /set api\.credentialsSecret\.name/);
    const shared = tryRender("kafka-postgres", {
      sourcesApi,
      api: { credentialsSecret: { name: "callers" } },
    });
    assert.match(shared.stderr, /store\.type postgres has no volume/);
  });

  test("carries the project's own alerts and dashboard", () => {
    const own = (path: string) =>
      readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
    assert.equal(
      sha256(readFileSync(join(CHART, "files/alerts.yaml"))).toString("hex"),
      sha256(own("deploy/prometheus/alerts.yaml")).toString("hex"),
    );
    const board = rendered("everything").find(({ metadata }) => metadata.name === "pollers-dashboards");
    assert.deepEqual(
      JSON.parse(board?.data?.["millrace.json"] ?? ""),
      JSON.parse(own("deploy/grafana/millrace.json")),
    );
    assert(only(rendered("everything"), "PrometheusRule").spec.groups.length > 0);
  });
});

describe("values that cannot be right", () => {
  const refused: readonly (readonly [what: string, example: string, values: object, text: RegExp])[] = [
    ["two pods on a file", "minimal", { replicaCount: 2 }, /More than one pod needs a store that pods share/],
    [
      "two pods with memories",
      "minimal",
      { replicaCount: 2, store: { type: "memory" } },
      /store.type memory is of one pod only/,
    ],
    ["scaling on a file", "minimal", { autoscaling: { enabled: true } }, /More than one pod needs a store/],
    ["KEDA on a file", "minimal", { keda: { enabled: true } }, /More than one pod needs a store/],
    ["two scalers", "everything", { keda: { enabled: true } }, /would both set the number of pods/],
    ["no manifests", "minimal", { manifests: { resources: [] } }, /There is nothing to run/],
    ["two kinds of manifests", "minimal", { manifests: { existingConfigMap: "x" } }, /Give one or the other/],
    ["custom resources and manifests", "minimal", { kubernetes: { enabled: true } }, /in place of manifests/],
    ["PostgreSQL without a host", "minimal", { store: { type: "postgres" } }, /needs store.postgres.host/],
    [
      "PostgreSQL without a password",
      "minimal",
      { store: { type: "postgres", postgres: { host: "db" } } },
      /passwordSecret.name/,
    ],
    ["DynamoDB without a table", "minimal", { store: { type: "dynamodb" } }, /needs store.dynamodb.table/],
    ["an open API without credentials", "minimal", { api: { enabled: true } }, /needs to know them/],
    ["a scaler of a file", "minimal", { scaler: { enabled: true } }, /a scaler is a pod of its own/],
    [
      "a way in that leads nowhere",
      "minimal",
      { ingress: { enabled: true } },
      /Set front\.enabled or api\.enabled/,
    ],
    [
      "a function that a scaler scales which is not there",
      "kafka-postgres",
      { attachedFunctions: [{ name: "orders", image: "x:1", scaling: { maxReplicas: 2 } }] },
      /scaling of orders asks the scaler/,
    ],
    [
      "metadata of a trigger that the scaler does not know",
      "scale-to-zero",
      { keda: { scalerMetadata: { lagSeconds: 5 } } },
      /lagSeconds/,
    ],
    ["a store that is none", "minimal", { store: { type: "redis" } }, /store.type/],
    ["a value that is none", "minimal", { replicas: 3 }, /replicas/],
    ["a nested value that is none", "minimal", { store: { postgres: { password: "x" } } }, /password/],
    ["a number as text", "minimal", { replicaCount: "3" }, /replicaCount/],
    ["a port out of range", "minimal", { metrics: { port: 70_000 } }, /port/],
    ["a digest that is none", "minimal", { image: { digest: "latest" } }, /digest/],
    [
      "a manifest of another kind",
      "minimal",
      { manifests: { resources: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: {} }] } },
      /apiVersion|kind/,
    ],
    [
      "KEDA to zero, where nobody knows the lag",
      "keda-dynamodb",
      { keda: { minReplicas: 0 } },
      /keda\.minReplicas 0: who does not run does not know its lag/,
    ],
    [
      "a time-out that AWS does not have",
      "minimal",
      {
        manifests: {
          resources: [
            {
              apiVersion: "millrace.dev/v1",
              kind: "Function",
              metadata: { name: "x" },
              spec: { timeoutSeconds: 1000 },
            },
          ],
        },
      },
      /timeoutSeconds/,
    ],
    [
      "a disruption budget that lets no node go",
      "minimal",
      { podDisruptionBudget: { maxUnavailable: 0 } },
      /maxUnavailable/,
    ],
  ];
  for (const [what, example, values, text] of refused) {
    test(`are refused: ${what}`, () => {
      const { status, stdout, stderr } = tryRender(example, values);
      assert.notEqual(status, 0, stdout);
      assert.match(stderr, text);
    });
  }
});

describe("the checks themselves", () => {
  test("find a member that Kubernetes does not know, and a kind without a schema", () => {
    const text = renderedText("minimal").replace("revisionHistoryLimit: 5", "revisionHistoryLimits: 5");
    assert.match(kubeconform(text).join(), /revisionHistoryLimits/);
    assert.match(
      kubeconform("apiVersion: batch/v1\nkind: Job\nmetadata: { name: x }\n").join(),
      /could not find schema/,
    );
    assert.match(
      kubeconform(renderedText("keda-dynamodb").replace("maxReplicaCount", "maxReplicas")).join(),
      /maxReplicas/,
    );
  });

  const template = () => only(rendered("minimal"), "Deployment").spec.template;
  const doctored: readonly (readonly [string, (pod: Pick<KubernetesObject, "spec">) => void])[] = [
    [
      "root",
      (pod) => {
        pod.spec.securityContext = {};
      },
    ],
    [
      "no seccomp profile",
      (pod) => {
        delete pod.spec.securityContext.seccompProfile;
      },
    ],
    [
      "capabilities",
      (pod) => {
        pod.spec.containers[0].securityContext.capabilities = { drop: ["ALL"], add: ["SYS_ADMIN"] };
      },
    ],
    [
      "a folder of the host",
      (pod) => {
        pod.spec.volumes.push({ name: "h", hostPath: { path: "/" } });
      },
    ],
    [
      "escalation",
      (pod) => {
        delete pod.spec.containers[0].securityContext.allowPrivilegeEscalation;
      },
    ],
  ];
  for (const [what, change] of doctored) {
    test(`refuse a pod with ${what}`, () => {
      const pod = structuredClone(template());
      change(pod);
      assert.notEqual(podSecurity(pod), "allowed");
    });
  }
});
