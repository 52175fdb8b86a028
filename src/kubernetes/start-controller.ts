import { MillraceError } from "../model/errors.ts";
import { clusterAccess } from "./cluster-access.ts";
import { Controller, type ControllerOptions } from "./controller.ts";
import { KubeCluster } from "./kube-cluster.ts";

/** Whose custom resources are run. */
export interface ClusterSettings {
  /** `*` for all; `.`: the pod's own, or that of the kubeconfig's context. */
  readonly namespaces: readonly string[];
  /** Default: a pod's token, or what `kubectl` goes by. */
  readonly kubeconfig: string | undefined;
}

export type ControllerParts = Omit<ControllerOptions, "cluster" | "namespaces">;

/**
 * Runs the custom resources until it is stopped. The API server need not answer yet.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function startController(
  { namespaces, kubeconfig }: ClusterSettings,
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
  const controller = new Controller({
    ...parts,
    cluster: new KubeCluster(access),
    namespaces: [...new Set(named)].filter((namespace) => namespace !== undefined),
  });
  controller.start();
  return controller;
}
