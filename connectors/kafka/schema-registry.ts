import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import type { RotatingCredentials } from "../../src/aws/credentials.ts";
import { RequestSigner } from "../../src/aws/request-signer.ts";
import type { NetworkReach } from "../../src/model/network-reach.ts";
import { KafkaFault } from "./fault.ts";
import { callHttp, type HttpAnswer, HttpCallFault } from "./http-call.ts";
import type { DataFormat, RegistrySchema } from "./registry-schema.ts";
import type { RegistryKind } from "./schema-frame.ts";
import { SchemaProblem } from "./schema-frame.ts";

/** Where schemas are kept. Both calls are bounded in time and size. */
export interface SchemaRegistry {
  readonly kind: RegistryKind;
  /**
   * `undefined`: the registry says that it has none of this id.
   * @throws KafkaFault when it does not answer or refuses us: records wait. SchemaProblem for what no reader can use.
   */
  schema(id: string): Promise<RegistrySchema | undefined>;
}

const CALL_TIMEOUT_MS = 10_000;
/** Beyond both registries' own bounds of one schema. */
const ANSWER_BYTES_MAX = 2 * 1024 * 1024;
const REFERENCES_MAX = 64;
const REFERENCE_DEPTH_MAX = 16;

export interface ConfluentOptions {
  readonly url: URL;
  /** The value of the header, made anew for each call. */
  readonly authorization?: (() => Promise<string>) | undefined;
  readonly tls?: SecureContext | undefined;
  readonly reach?: NetworkReach | undefined;
}

/** Confluent's REST API, which Apicurio, Karapace and Redpanda serve too. */
export function createConfluentRegistry(options: ConfluentOptions): SchemaRegistry {
  const { url, authorization, tls, reach } = options;
  const base = url.href.replace(/\/+$/, "");
  const get = async (path: string): Promise<Json | undefined> => {
    const answer = await callHttp({
      url: new URL(`${base}${path}`),
      method: "GET",
      headers: {
        accept: "application/vnd.schemaregistry.v1+json, application/json",
        ...(authorization === undefined ? {} : { authorization: await authorization() }),
      },
      ...{ tls, reach, bytesMax: ANSWER_BYTES_MAX, timeoutMs: CALL_TIMEOUT_MS },
    }).catch((error: unknown) => {
      throw callFault(url.host, error);
    });
    return answer.status === 404 ? undefined : membersOf(url.host, answer);
  };
  return {
    kind: "confluent",
    async schema(id) {
      const found = await get(`/schemas/ids/${encodeURIComponent(id)}`);
      return found === undefined ? undefined : await withReferences(found, get);
    },
  };
}

async function withReferences(
  found: Json,
  get: (path: string) => Promise<Json | undefined>,
): Promise<RegistrySchema> {
  const references = new Map<string, string>();
  const collect = async (list: unknown, depth: number): Promise<void> => {
    if (!Array.isArray(list)) return;
    if (depth > REFERENCE_DEPTH_MAX) throw new SchemaProblem("the references of its schema are too deep");
    for (const reference of list) {
      const { name, subject, version } = (reference ?? {}) as Json;
      if (typeof name !== "string" || typeof subject !== "string" || !Number.isInteger(version))
        throw new SchemaProblem("its schema has a reference without name, subject and version");
      if (references.has(name)) continue;
      if (references.size >= REFERENCES_MAX)
        throw new SchemaProblem(`its schema has more than ${REFERENCES_MAX} references`);
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      const other = await get(path);
      if (other === undefined)
        throw new SchemaProblem("its schema refers to another that the registry has not");
      await collect(other["references"], depth + 1);
      references.set(name, String(other["schema"]));
    }
  };
  await collect(found["references"], 0);
  return {
    dataFormat: formatOf(found["schemaType"] ?? "AVRO"),
    text: String(found["schema"]),
    references: [...references].map(([name, text]) => ({ name, text })),
  };
}

export interface GlueOptions {
  /** `arn:aws:glue:REGION:ACCOUNT:registry/NAME`. */
  readonly arn: string;
  readonly credentials: RotatingCredentials;
  /** Default: Glue of the region. */
  readonly endpoint?: string | undefined;
  readonly epochMs?: () => number;
}

/** AWS Glue's registry: an id is that of a version, whatever registry of the account it is in. */
export function createGlueRegistry({ arn, credentials, endpoint, epochMs }: GlueOptions): SchemaRegistry {
  const [, partition = "aws", , region = "", , place = ""] = arn.split(":");
  const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  const url = new URL(endpoint ?? `https://glue.${region}.${suffix}/`);
  const own = `:schema/${place.slice("registry/".length)}/`;
  return {
    kind: "glue",
    async schema(id) {
      const body = JSON.stringify({ SchemaVersionId: id });
      const used = await credentials.get().catch(() => {
        throw deniedFault(url.host, "no AWS credentials");
      });
      const signer = new RequestSigner(region, "glue", async () => used, epochMs);
      const headers = [
        ["content-type", "application/x-amz-json-1.1"],
        ["host", url.host],
        ["x-amz-target", "AWSGlue.GetSchemaVersion"],
      ] as const;
      const signed = await signer.headersOf({ path: url.pathname, region, service: "glue", headers }, body);
      const answer = await callHttp({
        url,
        method: "POST",
        headers: pairsOf(signed),
        ...{ body, bytesMax: ANSWER_BYTES_MAX, timeoutMs: CALL_TIMEOUT_MS },
      }).catch((error: unknown) => {
        throw callFault(url.host, error);
      });
      if (answer.status === 400) {
        const code = /"__type":"(?:[^"#]*#)?([A-Za-z]+)"/.exec(answer.body)?.[1] ?? "no code";
        if (code === "EntityNotFoundException") return undefined;
        await credentials.refused(used);
        throw code === "ThrottlingException" ? noAnswerFault(url.host, code) : deniedFault(url.host, code);
      }
      const found = membersOf(url.host, answer);
      // The ARN of a schema names its registry: what another has is not of this one.
      if (!String(found["SchemaArn"]).includes(own)) return undefined;
      const text = String(found["SchemaDefinition"]);
      return { dataFormat: formatOf(found["DataFormat"]), text, references: [] };
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

function membersOf(host: string, { status, body }: HttpAnswer): Json {
  if (status === 401 || status === 403) throw deniedFault(host, `HTTP ${status}`);
  if (status !== 200) throw noAnswerFault(host, `HTTP ${status}`);
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // Below: what else answers there, a proxy or a login page, is none of ours to quote.
  }
  throw noAnswerFault(host, "no JSON");
}

function formatOf(name: unknown): DataFormat {
  if (name === "AVRO" || name === "PROTOBUF" || name === "JSON") return name;
  throw new SchemaProblem("its schema is none of Avro, Protobuf and JSON Schema");
}

function callFault(host: string, error: unknown): KafkaFault {
  if (error instanceof KafkaFault) return error;
  return noAnswerFault(host, error instanceof HttpCallFault ? error.code : "ERROR");
}

function noAnswerFault(host: string, code: string): KafkaFault {
  return new KafkaFault(
    "unreachable",
    `The schema registry ${shown(host)} gave no answer (${code}). Records wait for it, and none is lost.`,
    { endpoint: host },
  );
}

function deniedFault(host: string, code: string): KafkaFault {
  return new KafkaFault(
    "authentication",
    `The schema registry ${shown(host)} refused the call (${code}). Records wait, and none is lost: look at the ` +
      "accessConfigs of schemaRegistryConfig, for AWS Glue at the credentials of this process and their right to " +
      "glue:GetSchemaVersion.",
    { endpoint: host },
  );
}

function shown(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function pairsOf(flat: readonly string[]): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) pairs[flat[at] ?? ""] = flat[at + 1] ?? "";
  return pairs;
}
