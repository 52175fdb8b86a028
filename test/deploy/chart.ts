import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments, stringify } from "yaml";
import { installGoCommand } from "./tools/go.ts";
import { KUBERNETES_VERSION } from "./tools/kubernetes-schemas.ts";

export const CHART = fileURLToPath(new URL("../../helm/millrace", import.meta.url));
const HELM_VERSION = "v3.22.0";

/** Values files that the chart comes with, by name. */
export const EXAMPLES: readonly string[] = readdirSync(join(CHART, "ci")).map((name) =>
  name.replace(".yaml", ""),
);

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: its form goes with the kind, and kubeconform has checked it.
  readonly spec: any;
  readonly data?: Readonly<Record<string, string>>;
}

export function helm(words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const program = installGoCommand("helm", "helm.sh/helm/v3/cmd/helm", HELM_VERSION);
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

export function exampleFile(name: string): string {
  return join(CHART, "ci", `${name}.yaml`);
}

/** What `helm template` prints for an example, with more values over it. */
export function renderedText(example: string, values: object = {}): string {
  const { status, stdout, stderr } = tryRender(example, values);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

export function rendered(example: string, values: object = {}): readonly KubernetesObject[] {
  return parseAllDocuments(renderedText(example, values)).map((document) => document.toJS());
}

export function tryRender(
  example: string,
  values: object,
): { status: number | null; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-values-"));
  try {
    const file = join(folder, "values.yaml");
    writeFileSync(file, stringify(values));
    const release = [
      "template",
      "shop",
      CHART,
      "--namespace",
      "pollers-ns",
      "--kube-version",
      KUBERNETES_VERSION,
    ];
    return helm([...release, "-f", exampleFile(example), "-f", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The only object of its kind. */
export function only(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const [first, ...others] = objects.filter((object) => object.kind === kind);
  if (first === undefined || others.length > 0)
    throw new Error(`${others.length + 1} objects of kind ${kind}`);
  return first;
}

/** The pod of the engine: others may stand beside it. */
export function engineIn(objects: readonly KubernetesObject[]): KubernetesObject["spec"] {
  const [engine] = objects.flatMap(({ kind, spec }) => {
    const pod = kind === "Deployment" ? spec.template.spec : undefined;
    return pod?.containers[0].args?.[0] === "run" ? [pod] : [];
  });
  if (engine === undefined) throw new Error("nobody runs millrace");
  return engine;
}
