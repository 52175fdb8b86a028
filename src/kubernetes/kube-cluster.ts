import { z } from "zod";
import { GROUP, VERSION } from "../manifests/custom-kinds.ts";
import { MillraceError } from "../model/errors.ts";
import {
  type Cluster,
  type ClusterChange,
  type ClusterList,
  type ClusterObject,
  type ClusterPlace,
  type ClusterWatch,
  EVERY_NAMESPACE,
  type ObjectRef,
} from "../ports/cluster.ts";
import { type KubeApi, refusalOf, unavailable } from "./kube-api.ts";
import { LineReader } from "./line-reader.ts";

/** The server ends a watch by itself then; between, it marks where it is about once a minute. */
const WATCH_SECONDS = 290;
const PAGE_OBJECTS = 500;
/** The server keeps no object that is larger. */
const OBJECT_BYTES_MAX = 4 * 1024 * 1024;
const GONE = 410;

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(""),
    uid: z.string().default(""),
    resourceVersion: z.string(),
    generation: z.number().default(0),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    finalizers: z.array(z.string()).nullish(),
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.unknown().optional(),
  status: z.unknown().optional(),
});
const listSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()),
});
const eventSchema = z.looseObject({ type: z.string(), object: z.looseObject({}) });
const markSchema = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) });
const refusalSchema = z.looseObject({ message: z.string().optional(), code: z.number().optional() });

/** The custom resources of an API server, over its REST interface. */
export class KubeCluster implements Cluster {
  readonly description: string;
  readonly #api: KubeApi;

  /** The API is closed with it. */
  constructor(api: KubeApi) {
    this.description = api.server;
    this.#api = api;
  }

  async list(place: ClusterPlace, signal: AbortSignal): Promise<ClusterList> {
    const objects: ClusterObject[] = [];
    let next: string | undefined;
    for (;;) {
      const query = { limit: String(PAGE_OBJECTS), ...(next === undefined ? {} : { continue: next }) };
      const answer = await this.#api.ask("GET", pathOf(place, query), signal);
      // A list that took too long to page through begins anew.
      if (answer.status === GONE && next !== undefined) {
        objects.length = 0;
        next = undefined;
        continue;
      }
      const { metadata, items } = this.#api.read(listSchema, answer, `list ${place.plural}`);
      for (const item of items) objects.push(this.#object(item));
      next = metadata.continue === "" ? undefined : metadata.continue;
      if (next === undefined) return { objects, version: metadata.resourceVersion };
    }
  }

  async watch(
    place: ClusterPlace,
    { since, onChange }: ClusterWatch,
    signal: AbortSignal,
  ): Promise<"ended" | "gone"> {
    const query = {
      ...{ watch: "1", allowWatchBookmarks: "true", resourceVersion: since },
      timeoutSeconds: String(WATCH_SECONDS),
    };
    const answer = await this.#api.open("GET", pathOf(place, query), undefined, signal);
    if (answer.statusCode === GONE) {
      await answer.body.dump();
      return "gone";
    }
    if (answer.statusCode !== 200) {
      const body = await this.#api.bodyOf(answer);
      throw refusalOf({ status: answer.statusCode, body }, `watch ${place.plural}`);
    }
    const lines = new LineReader(OBJECT_BYTES_MAX);
    try {
      for await (const chunk of answer.body) {
        for (const line of lines.take(chunk as Buffer))
          if (this.#told(line, onChange) === "gone") return "gone";
      }
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      throw unavailable(this.description, error);
    }
    return "ended";
  }

  async writeStatus({ name, ...place }: ObjectRef, status: object, signal: AbortSignal) {
    const answer = await this.#api.ask("PATCH", `${pathOf(place, {}, name)}/status`, signal, { status });
    if (answer.status === 404) return "absent" as const;
    this.#api.read(objectSchema, answer, `write the status of ${name}`);
    return "written" as const;
  }

  async writeFinalizers(
    { name, ...place }: ObjectRef,
    finalizers: readonly string[],
    resourceVersion: string,
    signal: AbortSignal,
  ) {
    const change = { metadata: { finalizers, resourceVersion } };
    const answer = await this.#api.ask("PATCH", pathOf(place, {}, name), signal, change);
    if (answer.status === 404 || answer.status === 409) return "stale" as const;
    this.#api.read(objectSchema, answer, `write the finalizers of ${name}`);
    return "written" as const;
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  #told(line: string, onChange: (change: ClusterChange) => void): "gone" | undefined {
    const { type, object } = this.#api.parsed(eventSchema, line);
    if (type === "ERROR") {
      const { code, message } = this.#api.checked(refusalSchema, object);
      if (code === GONE) return "gone";
      throw unavailable(this.description, new Error(message ?? "the watch failed"));
    }
    if (type === "BOOKMARK") {
      const { metadata } = this.#api.checked(markSchema, object);
      onChange({ kind: "mark", object: this.#object({ metadata: { name: "", ...metadata } }) });
      return undefined;
    }
    onChange({ kind: type === "DELETED" ? "deleted" : "put", object: this.#object(object) });
    return undefined;
  }

  #object(value: unknown): ClusterObject {
    const { metadata, spec, status } = this.#api.checked(objectSchema, value);
    const { name, namespace, uid, resourceVersion, generation } = metadata;
    return {
      metadata: {
        ...{ name, namespace, uid, resourceVersion, generation },
        creationTimestamp: metadata.creationTimestamp ?? "",
        deletionTimestamp: metadata.deletionTimestamp ?? undefined,
        finalizers: metadata.finalizers ?? [],
        labels: metadata.labels ?? {},
      },
      spec,
      status,
    };
  }
}

function pathOf(
  { plural, namespace }: ClusterPlace,
  query: Readonly<Record<string, string>>,
  name = "",
): string {
  const asked = new URLSearchParams(query).toString();
  const object = name === "" ? "" : `/${encodeURIComponent(name)}`;
  const scope = namespace === EVERY_NAMESPACE ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${GROUP}/${VERSION}${scope}/${plural}${object}${asked === "" ? "" : `?${asked}`}`;
}
