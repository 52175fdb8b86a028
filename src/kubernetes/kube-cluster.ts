import { Agent, type Dispatcher, request } from "undici";
import { z } from "zod";
import { GROUP, VERSION } from "../manifests/custom-kinds.ts";
import { describeError, MillraceError } from "../model/errors.ts";
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
import type { ClusterAccess } from "./cluster-access.ts";
import { LineReader } from "./line-reader.ts";

const CONNECT_MS_MAX = 5_000;
const ANSWER_MS_MAX = 30_000;
/** The server ends a watch by itself then; between, it marks where it is about once a minute. */
const WATCH_SECONDS = 290;
const WATCH_SILENCE_MS_MAX = 120_000;
const PAGE_OBJECTS = 500;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
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
  readonly #access: ClusterAccess;
  readonly #agent: Agent;

  constructor(access: ClusterAccess) {
    this.description = access.server;
    this.#access = access;
    this.#agent = new Agent({
      connect: { ...access.tls, timeout: CONNECT_MS_MAX },
      headersTimeout: ANSWER_MS_MAX,
      bodyTimeout: WATCH_SILENCE_MS_MAX,
    });
  }

  async list(place: ClusterPlace, signal: AbortSignal): Promise<ClusterList> {
    const objects: ClusterObject[] = [];
    let next: string | undefined;
    for (;;) {
      const query = { limit: String(PAGE_OBJECTS), ...(next === undefined ? {} : { continue: next }) };
      const answer = await this.#ask("GET", pathOf(place, query), signal);
      // A list that took too long to page through begins anew.
      if (answer.status === GONE && next !== undefined) {
        objects.length = 0;
        next = undefined;
        continue;
      }
      const { metadata, items } = this.#read(listSchema, answer, `list ${place.plural}`);
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
    const answer = await this.#open("GET", pathOf(place, query), undefined, signal);
    if (answer.statusCode === GONE) {
      await answer.body.dump();
      return "gone";
    }
    if (answer.statusCode !== 200) {
      const body = await this.#bodyOf(answer);
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
    const answer = await this.#ask("PATCH", `${pathOf(place, {}, name)}/status`, signal, { status });
    if (answer.status === 404) return "absent" as const;
    this.#read(objectSchema, answer, `write the status of ${name}`);
    return "written" as const;
  }

  async writeFinalizers(
    { name, ...place }: ObjectRef,
    finalizers: readonly string[],
    resourceVersion: string,
    signal: AbortSignal,
  ) {
    const change = { metadata: { finalizers, resourceVersion } };
    const answer = await this.#ask("PATCH", pathOf(place, {}, name), signal, change);
    if (answer.status === 404 || answer.status === 409) return "stale" as const;
    this.#read(objectSchema, answer, `write the finalizers of ${name}`);
    return "written" as const;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #told(line: string, onChange: (change: ClusterChange) => void): "gone" | undefined {
    const { type, object } = this.#parsed(eventSchema, line);
    if (type === "ERROR") {
      const { code, message } = this.#checked(refusalSchema, object);
      if (code === GONE) return "gone";
      throw unavailable(this.description, new Error(message ?? "the watch failed"));
    }
    if (type === "BOOKMARK") {
      const { metadata } = this.#checked(markSchema, object);
      onChange({ kind: "mark", object: this.#object({ metadata: { name: "", ...metadata } }) });
      return undefined;
    }
    onChange({ kind: type === "DELETED" ? "deleted" : "put", object: this.#object(object) });
    return undefined;
  }

  async #ask(method: "GET" | "PATCH", path: string, signal: AbortSignal, change?: object): Promise<Answer> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const answer = await this.#open(method, path, change, within);
    return { status: answer.statusCode, body: await this.#bodyOf(answer) };
  }

  async #open(method: "GET" | "PATCH", path: string, change: object | undefined, signal: AbortSignal) {
    try {
      const token = await this.#access.token();
      return await request(this.#access.server + path, {
        method,
        headers: {
          accept: "application/json",
          "user-agent": "millrace",
          ...(change === undefined ? {} : { "content-type": "application/merge-patch+json" }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(change === undefined ? {} : { body: JSON.stringify(change) }),
        dispatcher: this.#agent,
        signal,
      });
    } catch (error) {
      throw unavailable(this.description, error);
    }
  }

  async #bodyOf({ body }: Dispatcher.ResponseData): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body) {
        bytes += (chunk as Buffer).length;
        if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer has more than ${ANSWER_BYTES_MAX} bytes`);
        chunks.push(chunk as Buffer);
      }
    } catch (error) {
      throw unavailable(this.description, error);
    }
    return Buffer.concat(chunks).toString();
  }

  #read<Value>(schema: z.ZodType<Value>, answer: Answer, what: string): Value {
    if (answer.status < 200 || answer.status > 299) throw refusalOf(answer, what);
    return this.#parsed(schema, answer.body);
  }

  #parsed<Value>(schema: z.ZodType<Value>, text: string): Value {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw unavailable(this.description, new Error("it answered something that is no JSON"));
    }
    return this.#checked(schema, value);
  }

  #checked<Value>(schema: z.ZodType<Value>, value: unknown): Value {
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    throw unavailable(this.description, new Error("it answered something that is no object of Kubernetes"));
  }

  #object(value: unknown): ClusterObject {
    const { metadata, spec, status } = this.#checked(objectSchema, value);
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

interface Answer {
  readonly status: number;
  readonly body: string;
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

/** What only waits, and what somebody has to change. */
function refusalOf({ status, body }: Answer, what: string): MillraceError {
  const message = messageIn(body);
  const told = `The API server refused to ${what} (${status}): ${message}.`;
  if (status === 404)
    return new MillraceError(
      "ERR_MILLRACE_CLUSTER_REFUSED",
      `${told} Install the custom resources: millrace schema --custom-resources | kubectl apply -f -`,
    );
  if (status === 401 || status === 403)
    return new MillraceError(
      "ERR_MILLRACE_CLUSTER_REFUSED",
      `${told} Give its service account the role of the chart (kubernetes.enabled).`,
    );
  return new MillraceError("ERR_MILLRACE_CLUSTER_UNAVAILABLE", told);
}

function messageIn(body: string): string {
  try {
    return refusalSchema.parse(JSON.parse(body)).message?.slice(0, 500) ?? "it gives no reason";
  } catch {
    return "it gives no reason";
  }
}

function unavailable(server: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const message = `The API server at ${server} cannot be asked: ${describeError(cause)}`;
  return new MillraceError("ERR_MILLRACE_CLUSTER_UNAVAILABLE", message, { cause });
}
