import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseFlags } from "../../src/cli/parse-flags.ts";
import { scalerCommand } from "../../src/cli/scaler.ts";
import { parseStoreUrl } from "../../src/cli/store-url.ts";
import { readTrigger } from "../../src/kubernetes/scaler/trigger.ts";
import { engineIn, type KubernetesObject, only, rendered } from "./chart.ts";
import { restrictedV2 } from "./chart-checks.ts";

const named = (objects: readonly KubernetesObject[], kind: string, name: string) =>
  only(
    objects.filter(({ metadata }) => metadata.name === name),
    kind,
  );

describe("on OpenShift", () => {
  test("restricted-v2 takes all pods once the users of the chart are unset, and not before", () => {
    const unset = {
      podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null, fsGroupChangePolicy: null },
    };
    for (const example of ["openshift", "scale-to-zero", "gateway-sidecars"]) {
      const pods = rendered(example, unset).filter(({ kind }) => kind === "Deployment");
      assert(pods.length > 0);
      for (const { spec } of pods) assert.deepEqual(restrictedV2(spec.template.spec), [], example);
    }
    const { spec } = only(rendered("custom-resources"), "Deployment");
    assert.deepEqual(restrictedV2(spec.template.spec), ["pod: runAsUser", "pod: runAsGroup", "pod: fsGroup"]);
  });

  test("the check sees what it is there for", () => {
    const pod = engineIn(rendered("openshift"));
    const doctored: readonly (readonly [object, string])[] = [
      [{ hostNetwork: true }, "hostNetwork"],
      [{ volumes: [{ name: "h", hostPath: { path: "/" } }] }, "volume h: hostPath"],
      [{ containers: [{ name: "m", securityContext: {} }] }, "m: capabilities"],
    ];
    for (const [change, fault] of doctored) assert.deepEqual(restrictedV2({ ...pod, ...change }), [fault]);
  });
});

describe("from zero and to zero", () => {
  const objects = rendered("scale-to-zero");
  const trigger = (name: string) => named(objects, "ScaledObject", name).spec.triggers[0];

  test("the scaler has flags that it knows, the store and the logins of the engine, and no token of the cluster", () => {
    const { spec } = named(objects, "Deployment", "shop-millrace-scaler").spec.template;
    const [{ args, env, volumeMounts }] = spec.containers;
    const [command, ...words] = args;
    assert.equal(command, "scaler");
    const flags = parseFlags(scalerCommand, words);
    assert.equal(parseStoreUrl(flags.get("store")?.[0] ?? "").kind, "postgres");
    assert.deepEqual(flags.get("tls-client-ca"), ["/etc/millrace-scaler-tls/ca.crt"]);
    const engine = engineIn(objects).containers[0];
    assert.deepEqual(env, engine.env);
    assert.equal(
      flags.get("store")?.[0],
      engine.args.find((word: string) => word.startsWith("--store"))?.slice(8),
    );
    assert.equal(spec.automountServiceAccountToken, false);
    const mounts = volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    assert.deepEqual(mounts, ["/tmp", "/etc/millrace-scaler-tls"]);
  });

  test("KEDA asks it for the engine and for each function, with metadata that it takes", () => {
    for (const [name, functionName] of [
      ["shop-millrace", undefined],
      ["shop-millrace-orders", "orders"],
    ] as const) {
      const { type, metadata, authenticationRef } = trigger(name);
      assert.equal(type, "external-push");
      assert.equal(metadata.scalerAddress, "shop-millrace-scaler.pollers-ns.svc:9666");
      assert.deepEqual(authenticationRef, { name: "millrace-scaler" });
      assert.equal(readTrigger(metadata).functionName, functionName);
    }
    assert.equal(readTrigger(trigger("shop-millrace").metadata).quietMs, 120_000);
    const scaled = named(objects, "ScaledObject", "shop-millrace").spec;
    assert.deepEqual([scaled.minReplicaCount, scaled.maxReplicaCount], [0, 8]);
    assert.equal(named(objects, "Deployment", "shop-millrace-orders").spec.replicas, undefined);
  });

  test("only KEDA reaches it, and objects of the operator's stand beside it with their templates filled in", () => {
    const { spec } = named(objects, "NetworkPolicy", "shop-millrace-scaler");
    const [grpc] = spec.ingress;
    assert.deepEqual(grpc.ports, [{ protocol: "TCP", port: "grpc" }]);
    assert.deepEqual(grpc.from[0].namespaceSelector.matchLabels, { "kubernetes.io/metadata.name": "keda" });
    assert.equal(only(objects, "TriggerAuthentication").metadata.namespace, "pollers-ns");
  });
});

describe("ways in and what stands beside", () => {
  test("an Ingress leads to the API by the name that it answers to", () => {
    const objects = rendered("openshift");
    const [rule] = only(objects, "Ingress").spec.rules;
    assert.deepEqual(rule.http.paths[0].backend.service, { name: "shop-millrace", port: { name: "api" } });
    assert(engineIn(objects).containers[0].args.includes(`--api-host=${rule.host}`));
  });

  test("a route of the Gateway API leads to the front, and containers stand before and beside the engine", () => {
    const objects = rendered("gateway-sidecars");
    const { spec } = only(objects, "HTTPRoute");
    assert.deepEqual(spec.rules[0].backendRefs, [{ name: "shop-millrace", port: 8082 }]);
    const pod = engineIn(objects);
    assert.deepEqual(
      [...pod.initContainers, ...pod.containers].map(({ name }: { name: string }) => name),
      ["database-proxy", "millrace", "log-shipper"],
    );
    assert.deepEqual(pod.containers[0].lifecycle, { preStop: { sleep: { seconds: 5 } } });
    const { metadata } = only(objects, "Deployment") as unknown as { metadata: { annotations: object } };
    assert.deepEqual(metadata.annotations, { "reloader.stakater.com/auto": "true" });
  });
});

test("what custom resources name of Secrets is read by name alone, and kept in memory", () => {
  const objects = rendered("custom-resources");
  const ofShop = objects.filter(({ metadata }) => metadata.namespace === "shop");
  const { rules } = named(ofShop, "Role", "shop-millrace") as unknown as {
    rules: readonly {
      resources: readonly string[];
      resourceNames?: readonly string[];
      verbs: readonly string[];
    }[];
  };
  const core = rules.filter(({ resources }) => /^(secrets|configmaps)$/.test(resources.join()));
  assert.deepEqual(
    core.map(({ resourceNames, verbs }) => [resourceNames, verbs]),
    [
      [["kafka-login"], ["get"]],
      [["kafka-ca"], ["get"]],
    ],
  );
  const { volumes, containers } = engineIn(objects);
  const kept = volumes.find(({ name }: { name: string }) => name === "followed-secrets");
  assert.equal(kept.emptyDir.medium, "Memory");
  assert(containers[0].args.includes("--secrets-folder=/run/millrace-secrets/followed"));
});
