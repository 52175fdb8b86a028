import { z } from "zod";
import { MillraceError } from "../model/errors.ts";
import type { ClusterValueReader, ClusterValues, ValuesRef } from "../ports/cluster.ts";
import type { KubeApi } from "./kube-api.ts";

const texts = z.record(z.string(), z.string()).nullish();
const valuesSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  /** Base64 in a Secret, text in a ConfigMap. */
  data: texts,
  binaryData: texts,
});

/** Secrets and config maps, each read by its name: a role of names is enough. */
export class KubeValues implements ClusterValueReader {
  readonly #api: KubeApi;

  constructor(api: KubeApi) {
    this.#api = api;
  }

  async read({ kind, namespace, name }: ValuesRef, signal: AbortSignal): Promise<ClusterValues | undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}s/${encodeURIComponent(name)}`;
    const answer = await this.#api.ask("GET", path, signal);
    if (answer.status === 404) return undefined;
    if (answer.status === 401 || answer.status === 403) throw refused({ kind, namespace, name });
    const { metadata, data, binaryData } = this.#api.read(valuesSchema, answer, `read the ${kind} ${name}`);
    const encoding = kind === "secret" ? "base64" : "utf8";
    const values = [
      ...Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, encoding)] as const),
      ...Object.entries(binaryData ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64")] as const),
    ];
    return { version: metadata.resourceVersion, values: new Map(values) };
  }
}

function refused({ kind, namespace, name }: ValuesRef): MillraceError {
  const list = kind === "secret" ? "kubernetes.secrets" : "kubernetes.configMaps";
  const message = `The ${kind} ${name} of the namespace ${namespace} may not be read. Name it in ${list} of the chart, which has a role for those alone.`;
  return new MillraceError("ERR_MILLRACE_CLUSTER_REFUSED", message);
}
