import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { goModuleFolder, installOnce } from "./go.ts";

/** Against what the chart is checked. */
export const KUBERNETES_VERSION = "1.36.3";
const KEDA_VERSION = "2.21.0";
const PROMETHEUS_OPERATOR_VERSION = "0.85.0";
const GATEWAY_API_VERSION = "1.4.0";

/** Of Kubernetes's own, what the chart makes. Another kind has no schema, and kubeconform then says so. */
const KINDS = [
  "ClusterRole",
  "ClusterRoleBinding",
  "ConfigMap",
  "Deployment",
  "HorizontalPodAutoscaler",
  "Ingress",
  "NetworkPolicy",
  "PersistentVolumeClaim",
  "PodDisruptionBudget",
  "Role",
  "RoleBinding",
  "Service",
  "ServiceAccount",
];

interface Schema {
  [member: string]: unknown;
}

/**
 * A folder of JSON Schemas, one for each kind, made from the API descriptions in Kubernetes's module and from the
 * custom resources' definitions in the modules of KEDA, the Prometheus operator and the Gateway API.
 * Unknown members are errors.
 */
export function kubernetesSchemas(): string {
  const versions = [KUBERNETES_VERSION, KEDA_VERSION, PROMETHEUS_OPERATOR_VERSION, GATEWAY_API_VERSION].join(
    "-",
  );
  const file = installOnce(`kubernetes-schemas-${versions}`, "deployment-apps-v1.json", (folder) => {
    writeOwnKinds(folder);
    const keda = goModuleFolder("github.com/kedacore/keda/v2", `v${KEDA_VERSION}`);
    for (const name of ["scaledobjects", "triggerauthentications"])
      writeCustomKind(folder, join(keda, `config/crd/bases/keda.sh_${name}.yaml`));
    const gateways = goModuleFolder("sigs.k8s.io/gateway-api", `v${GATEWAY_API_VERSION}`);
    writeCustomKind(folder, join(gateways, "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"));
    const operator = goModuleFolder(
      "github.com/prometheus-operator/prometheus-operator",
      `v${PROMETHEUS_OPERATOR_VERSION}`,
    );
    for (const name of ["servicemonitors", "prometheusrules"]) {
      const path = `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`;
      writeCustomKind(folder, join(operator, path));
    }
  });
  return dirname(file);
}

/** `deployment-apps-v1.json`, as kubeconform's `{{.ResourceKind}}{{.KindSuffix}}.json` finds it. */
function schemaName(group: string, version: string, kind: string): string {
  const [shortGroup = ""] = group.split(".");
  return `${[kind.toLowerCase(), shortGroup, version].filter((part) => part !== "").join("-")}.json`;
}

function writeOwnKinds(folder: string): void {
  const module = goModuleFolder("k8s.io/kubernetes", `v${KUBERNETES_VERSION}`);
  const swagger = JSON.parse(readFileSync(join(module, "api/openapi-spec/swagger.json"), "utf8"));
  const definitions: Record<string, Schema> = swagger.definitions;
  for (const [name, definition] of Object.entries(definitions)) {
    const kinds = definition["x-kubernetes-group-version-kind"];
    if (!Array.isArray(kinds) || kinds.length !== 1) continue;
    const [{ group, version, kind }] = kinds;
    if (!KINDS.includes(kind)) continue;
    const needed = reachable(name, definitions);
    const schema = {
      allOf: [
        { $ref: `#/definitions/${name}` },
        { properties: { apiVersion: { const: group === "" ? version : `${group}/${version}` } } },
      ],
      definitions: Object.fromEntries([...needed].map((one) => [one, strict(definitions[one] ?? {})])),
    };
    writeFileSync(join(folder, schemaName(group, version, kind)), JSON.stringify(schema));
  }
}

function writeCustomKind(folder: string, path: string): void {
  const { group, names, versions } = parse(readFileSync(path, "utf8")).spec;
  for (const { name, schema } of versions) {
    // What every object has, and a definition of a custom resource leaves out.
    const whole = strict(schema.openAPIV3Schema);
    writeFileSync(join(folder, schemaName(group, name, names.kind)), JSON.stringify(whole));
  }
}

function reachable(name: string, definitions: Readonly<Record<string, Schema>>): Set<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    for (const [, reference] of JSON.stringify(definitions[next]).matchAll(/"#\/definitions\/([^"]+)"/g)) {
      if (reference !== undefined) waiting.push(reference);
    }
  }
  return found;
}

/** As Kubernetes takes it, without what it would silently leave out. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy: Schema = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, name === "default" ? value : strict(value)]),
  );
  if (copy["format"] === "int-or-string" || copy["x-kubernetes-int-or-string"] === true) {
    return { type: ["string", "integer"] };
  }
  const isOpen =
    copy["additionalProperties"] !== undefined || copy["x-kubernetes-preserve-unknown-fields"] === true;
  const hasMembers = typeof copy["properties"] === "object" && copy["type"] === "object";
  if (hasMembers && !isOpen) copy["additionalProperties"] = false;
  return copy;
}
