import { describeError, MillraceError } from "../model/errors.ts";
import { hasCredentials } from "../secrets/url-secrets.ts";
import type { CliHost, Flag, Flags } from "./command.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { printable } from "./terminal-text.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";
const TOKEN_VARIABLE = "MILLRACE_API_TOKEN";
const MAPPINGS = "/2015-03-31/event-source-mappings";
const ANSWER_MS_MAX = 30_000;
/** A process on this machine answers at once; where there is none nobody is to wait long. */
const LOOK_MS_MAX = 2_000;
/** Many times the largest page of mappings. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const PAGES_MAX = 1000;

/** Flags of every command that talks to a running millrace. */
export const API_FLAGS = {
  api: {
    value: "URL",
    description: `Where millrace serves its API. Default ${DEFAULT_URL}. A token is taken from ${TOKEN_VARIABLE}.`,
  },
  json: { description: "Prints the answer as JSON." },
} as const satisfies Readonly<Record<string, Flag>>;

export type JsonObject = Readonly<Record<string, unknown>>;

/** A list stands for a parameter that is given several times. */
export type QueryValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The API of a running millrace. Answers are what the API says, unchecked.
 * Every call rejects with MillraceError ERR_MILLRACE_API_REFUSED, or …_UNAVAILABLE when it may be tried again.
 */
export class ApiClient {
  readonly #url: URL;
  readonly #token: string | undefined;

  /** @throws MillraceError ERR_MILLRACE_CONFIG */
  static of(flags: Flags, { environment }: CliHost): ApiClient {
    const token = environment[TOKEN_VARIABLE];
    return new ApiClient(parseUrl(lastValue(flags, "api") ?? DEFAULT_URL), token === "" ? undefined : token);
  }

  private constructor(url: URL, token: string | undefined) {
    this.#url = url;
    this.#token = token;
  }

  /** All pages together, as one answer. */
  async list(filter: {
    readonly EventSourceArn: string | undefined;
    readonly FunctionName: string | undefined;
  }): Promise<{ readonly EventSourceMappings: readonly JsonObject[] }> {
    const all: JsonObject[] = [];
    let marker: string | undefined;
    for (let page = 0; page < PAGES_MAX; page++) {
      const answer = await this.#call("GET", MAPPINGS, undefined, { ...filter, Marker: marker });
      const mappings: unknown = answer["EventSourceMappings"];
      if (Array.isArray(mappings)) all.push(...mappings.filter(isObject));
      const next = answer["NextMarker"];
      if (typeof next !== "string" || next === marker) break;
      marker = next;
    }
    return { EventSourceMappings: all };
  }

  get(uuid: string): Promise<JsonObject> {
    return this.#call("GET", pathOf(uuid));
  }

  create(members: JsonObject): Promise<JsonObject> {
    return this.#call("POST", MAPPINGS, members);
  }

  update(uuid: string, members: JsonObject): Promise<JsonObject> {
    return this.#call("PUT", pathOf(uuid), members);
  }

  delete(uuid: string): Promise<JsonObject> {
    return this.#call("DELETE", pathOf(uuid));
  }

  /** Why mappings are not fine: those that are not. */
  explainAll(): Promise<JsonObject> {
    return this.#call("GET", "/millrace/v1/explain");
  }

  /** Why each shard or group of a mapping is where it is; `part`: of this one only. */
  explain(uuid: string, part: string | undefined): Promise<JsonObject> {
    const path = `/millrace/v1/mappings/${encodeURIComponent(uuid)}/explain`;
    return this.#call("GET", path, undefined, { part });
  }

  resources(): Promise<JsonObject> {
    return this.#call("GET", "/millrace/v1/resources");
  }

  export(): Promise<JsonObject> {
    return this.#call("GET", "/millrace/v1/export");
  }

  drift(): Promise<JsonObject> {
    return this.#call("GET", "/millrace/v1/drift");
  }

  prune(only: JsonObject): Promise<JsonObject> {
    return this.#call("POST", "/millrace/v1/prune", only);
  }

  adopt(wanted: JsonObject): Promise<JsonObject> {
    return this.#call("POST", "/millrace/v1/adopt", wanted);
  }

  /** Whether a millrace answers there at all. */
  async isServed(): Promise<boolean> {
    try {
      const { status, text } = await this.#ask(this.#urlOf("/healthz", {}), "GET", undefined, LOOK_MS_MAX);
      return status === 200 && parseObject(text)?.["status"] === "ok";
    } catch {
      return false;
    }
  }

  /** Any call; `isAnswer` says of an answer with another status that it is one all the same. */
  async request(
    method: string,
    path: string,
    { query = {}, content, isAnswer = () => false, missing }: RequestParts = {},
  ): Promise<JsonObject> {
    const { status, fault, text } = await this.#ask(this.#urlOf(path, query), method, content);
    const answer = parseObject(text);
    if (answer !== undefined && ((status >= 200 && status < 300) || isAnswer(answer))) return answer;
    throw faultOf(status, fault, answer, this.#token !== undefined, missing);
  }

  /** Another of millrace's own routes, by its path behind the version. */
  own(method: "GET" | "POST", path: string, body?: JsonObject, query?: QueryValues): Promise<JsonObject> {
    return this.#call(method, `/millrace/v1/${path}`, body, query, missingAt(path));
  }

  #call(
    method: string,
    path: string,
    body?: JsonObject,
    query: QueryValues = {},
    missing?: string,
  ): Promise<JsonObject> {
    return this.request(method, path, {
      query,
      ...(missing === undefined ? {} : { missing }),
      ...(body === undefined ? {} : { content: jsonContent(body) }),
    });
  }

  #urlOf(path: string, query: QueryValues): URL {
    const url = new URL(`${this.#url.pathname.replace(/\/$/, "")}${path}`, this.#url);
    for (const [name, value] of Object.entries(query))
      for (const each of [value ?? []].flat()) url.searchParams.append(name, each);
    return url;
  }

  async #ask(url: URL, method: string, content: Content | undefined, msMax = ANSWER_MS_MAX) {
    try {
      const response = await fetch(url, {
        method,
        headers: {
          ...(content === undefined ? {} : { "content-type": content.type }),
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        ...(content === undefined ? {} : { body: content.text }),
        // The token is for the server that was named.
        redirect: "error",
        signal: AbortSignal.timeout(msMax),
      });
      const text = await boundedText(response);
      return { status: response.status, fault: response.headers.get("x-amzn-errortype"), text };
    } catch (error) {
      const reason = describeError(error instanceof Error && error.cause !== undefined ? error.cause : error);
      throw new MillraceError(
        "ERR_MILLRACE_API_UNAVAILABLE",
        `The API at ${this.#url.origin} does not answer: ${printable(reason)}. Check that millrace runs there, or name another with --api URL.`,
        { cause: error },
      );
    }
  }
}

export interface RequestParts {
  readonly query?: QueryValues;
  readonly content?: Content;
  readonly isAnswer?: (answer: JsonObject) => boolean;
  /** What to do where there is no such thing. */
  readonly missing?: string;
}

/** What lists the things of each kind, for somebody who named one that is not there. Redrives have no list. */
const LISTS: Readonly<Record<string, string>> = {
  events: "See millrace events list.",
  failures: "See millrace failures list.",
  functions: "",
  redrives: "",
  rollouts: "See millrace rollouts list.",
};

/** `path`: of a route of millrace's own, behind the version. A collection's may name a mapping. */
function missingAt(path: string): string | undefined {
  const [kind = "", name] = path.split("/");
  return name === undefined ? undefined : LISTS[kind];
}

interface Content {
  readonly type: string;
  readonly text: string;
}

export function jsonContent(body: JsonObject): Content {
  return { type: "application/json", text: JSON.stringify(body) };
}

function pathOf(uuid: string): string {
  return `${MAPPINGS}/${encodeURIComponent(uuid)}`;
}

/** A URL, or HOST:PORT as `run` takes it. */
function parseUrl(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  const isPlain = url !== null && !hasCredentials(url) && url.search === "";
  if (isPlain && ["http:", "https:"].includes(url.protocol)) return url;
  throw usageError(`--api is not the address of an API. Give a URL such as ${DEFAULT_URL}.`);
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Statuses after which the same request may succeed. */
const PASSING: readonly number[] = [408, 425, 429];
/** AWS's only error of a 400 that passes by itself. */
const IN_USE = "ResourceInUseException";

function faultOf(
  status: number,
  fault: string | null,
  answer: JsonObject | undefined,
  hasToken: boolean,
  missing = "See millrace mappings list.",
): MillraceError {
  const said = answer?.["Message"] ?? answer?.["message"];
  const reason = typeof said === "string" ? said : "The answer is none of millrace's API.";
  const name = fault?.split(":", 1)[0] ?? `Status ${status}`;
  const passes = status >= 500 || PASSING.includes(status) || name === IN_USE;
  const code = passes ? "ERR_MILLRACE_API_UNAVAILABLE" : "ERR_MILLRACE_API_REFUSED";
  return new MillraceError(code, printable(`${name}: ${reason}${remedy(status, name, hasToken, missing)}`));
}

function remedy(status: number, name: string, hasToken: boolean, missing: string): string {
  if (status === 404) return missing === "" ? "" : ` ${missing}`;
  if (name === IN_USE) return " Try again when its State is Enabled or Disabled.";
  if (status !== 401 && status !== 403) return "";
  return hasToken ? ` Check ${TOKEN_VARIABLE}.` : ` Set ${TOKEN_VARIABLE}.`;
}
