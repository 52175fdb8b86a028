import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../src/api/access-credentials.ts";
import { buildGoCommand, installGoCommand } from "./tools/go.ts";
import { kubernetesSchemas } from "./tools/kubernetes-schemas.ts";

const KUBECONFORM_VERSION = "v0.8.0";
const POD_SECURITY = fileURLToPath(new URL("pod-security", import.meta.url));

/** What is wrong, by object. */
export function kubeconform(text: string): readonly string[] {
  const program = installGoCommand(
    "kubeconform",
    "github.com/yannh/kubeconform/cmd/kubeconform",
    KUBECONFORM_VERSION,
  );
  const location = join(kubernetesSchemas(), "{{.ResourceKind}}{{.KindSuffix}}.json");
  const words = ["-schema-location", location, "-strict", "-output", "json", "-verbose", "-"];
  const { stdout, stderr, error } = spawnSync(program, words, { input: text, encoding: "utf8" });
  if (error !== undefined) throw error;
  const { resources } = JSON.parse(stdout || "{}");
  assert(Array.isArray(resources) && resources.length > 0, `kubeconform saw nothing: ${stdout}${stderr}`);
  return resources
    .filter(({ status }) => status !== "statusValid" && status !== "statusEmpty")
    .map(({ kind, name, status, msg }) => `${kind} ${name}: ${status} ${msg}`);
}

/** `allowed`, or why not. */
export function podSecurity(template: object): string {
  const key = sha256(
    ["main.go", "go.sum"].map((name) => readFileSync(join(POD_SECURITY, name), "utf8")).join(""),
  )
    .toString("hex")
    .slice(0, 12);
  const program = buildGoCommand("pod-security", POD_SECURITY, key);
  const { status, stdout, stderr } = spawnSync(program, {
    input: JSON.stringify(template),
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

interface PodSpec {
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly [member: string]: unknown;
}

interface Container {
  readonly name: string;
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly privileged?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
    readonly [member: string]: unknown;
  };
  readonly ports?: readonly { readonly hostPort?: number }[];
}

/** What volumes of a pod may be; `name` is no kind. */
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
/** The project's range says them: a pod that names one is refused, unless it happens to lie within. */
const GIVEN_BY_THE_PROJECT = ["runAsUser", "runAsGroup", "fsGroup", "supplementalGroups", "seLinuxOptions"];
const OF_THE_HOST = ["hostNetwork", "hostPID", "hostIPC", "hostUsers"];

/** What OpenShift's constraint restricted-v2 refuses of a pod; it gives users, groups and labels by itself. */
export function restrictedV2(pod: PodSpec): readonly string[] {
  const containers = [...pod.containers, ...(pod.initContainers ?? [])];
  const named = (where: string, context: Readonly<Record<string, unknown>> = {}) =>
    GIVEN_BY_THE_PROJECT.filter((member) => context[member] !== undefined).map(
      (member) => `${where}: ${member}`,
    );
  return [
    ...named("pod", pod.securityContext),
    ...OF_THE_HOST.filter((member) => pod[member] === true),
    ...(pod.volumes ?? []).flatMap(({ name, ...kinds }) =>
      Object.keys(kinds)
        .filter((kind) => !VOLUMES.includes(kind))
        .map((kind) => `volume ${name}: ${kind}`),
    ),
    ...containers.flatMap(({ name, securityContext = {}, ports = [] }) => [
      ...named(name, securityContext),
      ...(securityContext.privileged === true ? [`${name}: privileged`] : []),
      ...(securityContext.allowPrivilegeEscalation === true ? [`${name}: allowPrivilegeEscalation`] : []),
      ...(securityContext.capabilities?.drop?.includes("ALL") === true ? [] : [`${name}: capabilities`]),
      ...(securityContext.capabilities?.add ?? []).filter((added) => added !== "NET_BIND_SERVICE"),
      ...ports.flatMap(({ hostPort }) => (hostPort === undefined ? [] : [`${name}: hostPort`])),
    ]),
  ];
}
