import { createHash } from "node:crypto";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { MillraceError } from "../model/errors.ts";
import { clusterAccess } from "./cluster-access.ts";
import { Controller, type ControllerOptions } from "./controller.ts";
import { KubeApi } from "./kube-api.ts";
import { KubeCluster } from "./kube-cluster.ts";
import { KubeValues } from "./kube-values.ts";
import { ValueFiles } from "./value-files.ts";

/** Whose custom resources are run. */
export interface ClusterSettings {
  /** `*` for all; `.`: the pod's own, or that of the kubeconfig's context. */
  readonly namespaces: readonly string[];
  /** Default: a pod's token, or what `kubectl` goes by. */
  readonly kubeconfig: string | undefined;
  /** Where what objects name of Secrets is kept; default: a folder of this user among temporary files. */
  readonly secretsFolder: string | undefined;
}

export type ControllerParts = Omit<ControllerOptions, "cluster" | "namespaces" | "values" | "files">;

/**
 * Runs the custom resources until it is stopped. The API server need not answer yet.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function startController(
  { namespaces, kubeconfig, secretsFolder }: ClusterSettings,
  environment: NodeJS.ProcessEnv,
  parts: ControllerParts,
): Controller {
  const access = clusterAccess(kubeconfig, environment);
  const named = namespaces.map((namespace) => (namespace === "." ? access.namespace : namespace));
  if (named.includes(undefined)) {
    const message =
      "No namespace is named, and the context of the kubeconfig names none: give --kubernetes NAMESPACE.";
    throw new MillraceError("ERR_MILLRACE_CONFIG", message);
  }
  const api = new KubeApi(access);
  const controller = new Controller({
    ...parts,
    cluster: new KubeCluster(api),
    values: new KubeValues(api),
    files: new ValueFiles(secretsFolder ?? folderFor([access.server, parts.set, ...named])),
    namespaces: [...new Set(named)].filter((namespace) => namespace !== undefined),
  });
  controller.start();
  return controller;
}

/** This user alone has it, for what is run: others who run something else take nothing away of it. */
function folderFor(what: readonly unknown[]): string {
  const digest = createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 12);
  return join(tmpdir(), `millrace-secrets-${userInfo().uid}-${digest}`);
}
