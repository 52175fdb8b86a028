import { resolve } from "node:path";
import type { ClusterPlaces } from "./adapters.ts";
import type { CliHost, Flags } from "./command.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import type { RunOptions } from "./run-options.ts";

export const KUBERNETES_FLAGS = {
  kubernetes: {
    value: "NAMESPACE",
    implied: ".",
    isRepeatable: true,
    description:
      "Run the custom resources of a namespace, in place of manifests: * for all; without one, or with a dot, that of the " +
      "pod or of the kubeconfig. May be repeated. Their definitions: millrace schema --custom-resources.",
  },
  kubeconfig: {
    value: "FILE",
    description:
      "How the API server of --kubernetes is reached. Default: the pod's token, else what KUBECONFIG or ~/.kube/config says.",
  },
  "secrets-folder": {
    value: "FOLDER",
    description:
      "Where contents of Secrets are kept that custom resources name (uri: secret:NAME/KEY), in files that this process alone " +
      "may read: the same path in all processes of a store, best in memory. Default: a folder of the user among temporary files.",
  },
} as const;

/** The set that custom resources are, unless --manifest-set names another. */
export const KUBERNETES_SET = "kubernetes";

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function readKubernetes(flags: Flags): ClusterPlaces | undefined {
  const namespaces = flags.get("kubernetes");
  const kubeconfig = lastValue(flags, "kubeconfig");
  if (namespaces === undefined) {
    for (const name of ["kubeconfig", "secrets-folder"])
      if (flags.has(name)) throw usageError(`--${name} is given without --kubernetes. Give both.`);
    return undefined;
  }
  for (const other of ["filename", "watch", "manifest-revision", "adopt", "strict", "until-caught-up"])
    if (flags.has(other))
      throw usageError(`--kubernetes and --${other} cannot be given together. Leave out one of them.`);
  const wrong = namespaces.find((each) => !/^(?:[.*]|[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/.test(each));
  if (wrong !== undefined)
    throw usageError(
      `--kubernetes is ${JSON.stringify(wrong.slice(0, 80))}. Give the name of a namespace, * or nothing.`,
    );
  const secretsFolder = lastValue(flags, "secrets-folder");
  return { namespaces, kubeconfig, secretsFolder: secretsFolder && resolve(secretsFolder) };
}

/** What custom resources are checked by. */
export function objectContext(host: CliHost, { place }: Pick<RunOptions, "place">) {
  const { connectors, destinations, targets } = host.adapters;
  return { connectors, destinations, targets, place };
}
