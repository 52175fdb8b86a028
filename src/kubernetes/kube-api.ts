import { Agent, type Dispatcher, request } from "undici";
import { z } from "zod";
import { describeError, MillraceError } from "../model/errors.ts";
import type { ClusterAccess } from "./cluster-access.ts";

const CONNECT_MS_MAX = 5_000;
const ANSWER_MS_MAX = 30_000;
/** A watch is marked about once a minute. */
const SILENCE_MS_MAX = 120_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const refusalSchema = z.looseObject({ message: z.string().optional() });

type Method = "GET" | "PATCH" | "POST";
const CONTENT_TYPES = {
  GET: "application/json",
  PATCH: "application/merge-patch+json",
  POST: "application/json",
} as const;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Calls of an API server, by one access. Errors show nothing that was sent or answered but the server's message. */
export class KubeApi {
  readonly #access: ClusterAccess;
  readonly #server: string;
  readonly #agent: Agent;

  constructor(access: ClusterAccess) {
    this.#access = access;
    this.#server = access.server;
    this.#agent = new Agent({
      connect: { ...access.tls, timeout: CONNECT_MS_MAX },
      headersTimeout: ANSWER_MS_MAX,
      bodyTimeout: SILENCE_MS_MAX,
    });
  }

  /** For people: its address. */
  get server(): string {
    return this.#server;
  }

  /** @throws MillraceError ERR_MILLRACE_CLUSTER_UNAVAILABLE */
  async ask(method: Method, path: string, signal: AbortSignal, change?: object): Promise<Answer> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const answer = await this.open(method, path, change, within);
    return { status: answer.statusCode, body: await this.bodyOf(answer) };
  }

  async open(method: Method, path: string, change: object | undefined, signal: AbortSignal) {
    try {
      const token = await this.#access.token();
      return await request(this.#access.server + path, {
        method,
        headers: {
          accept: "application/json",
          "user-agent": "millrace",
          ...(change === undefined ? {} : { "content-type": CONTENT_TYPES[method] }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(change === undefined ? {} : { body: JSON.stringify(change) }),
        dispatcher: this.#agent,
        signal,
      });
    } catch (error) {
      throw unavailable(this.#server, error);
    }
  }

  async bodyOf({ body }: Dispatcher.ResponseData): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body) {
        bytes += (chunk as Buffer).length;
        if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer has more than ${ANSWER_BYTES_MAX} bytes`);
        chunks.push(chunk as Buffer);
      }
    } catch (error) {
      throw unavailable(this.#server, error);
    }
    return Buffer.concat(chunks).toString();
  }

  read<Value>(schema: z.ZodType<Value>, answer: Answer, what: string): Value {
    if (answer.status < 200 || answer.status > 299) throw refusalOf(answer, what);
    return this.parsed(schema, answer.body);
  }

  parsed<Value>(schema: z.ZodType<Value>, text: string): Value {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw unavailable(this.#server, new Error("it answered something that is no JSON"));
    }
    return this.checked(schema, value);
  }

  checked<Value>(schema: z.ZodType<Value>, value: unknown): Value {
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    throw unavailable(this.#server, new Error("it answered something that is no object of Kubernetes"));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** What only waits, and what somebody has to change. */
export function refusalOf({ status, body }: Answer, what: string): MillraceError {
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

export function unavailable(server: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const message = `The API server at ${server} cannot be asked: ${describeError(cause)}`;
  return new MillraceError("ERR_MILLRACE_CLUSTER_UNAVAILABLE", message, { cause });
}
