/** What may be asked for (invocation §5). */
export type TelemetryKind = "platform" | "function" | "extension";

/** What an extension has asked for, within the bounds of AWS. */
export interface TelemetrySubscription {
  readonly types: ReadonlySet<TelemetryKind>;
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly timeoutMs: number;
  readonly protocol: "HTTP" | "TCP";
  /** It is one of this machine: nothing is sent anywhere else. */
  readonly port: number;
  /** What an HTTP destination is asked for. */
  readonly path: string;
}

/** How a subscription is answered. */
export interface TelemetryAnswer {
  readonly status: 200 | 400 | 403;
  readonly body: string;
}

export type TelemetryApi = "telemetry" | "logs";

const KINDS: readonly string[] = ["platform", "function", "extension"];
const SCHEMAS: Readonly<Record<TelemetryApi, readonly string[]>> = {
  telemetry: ["2022-07-01", "2022-12-13"],
  logs: ["2020-08-15", "2021-03-18"],
};
/** What the name of the environment itself is, and what it resolves to. */
const HOSTS: readonly string[] = ["sandbox.localdomain", "sandbox", "localhost", "127.0.0.1"];

const BOUNDS = {
  maxItems: { least: 1_000, most: 30_000, otherwise: 10_000 },
  maxBytes: { least: 262_144, most: 1_048_576, otherwise: 262_144 },
  timeoutMs: { least: 25, most: 30_000, otherwise: 10_000 },
} as const;

type Members = Readonly<Record<string, unknown>>;

/** A text: why it is refused. */
export function readSubscription(api: TelemetryApi, body: Uint8Array): TelemetrySubscription | string {
  const said = membersOf(parsed(body));
  if (said === undefined) return "The body is not a JSON object";
  const schema = said["schemaVersion"];
  if (schema !== undefined && !SCHEMAS[api].includes(String(schema)))
    return `schemaVersion: ${String(schema).slice(0, 32)} is not supported`;
  const types = said["types"];
  if (!Array.isArray(types) || types.length === 0 || !types.every((type) => KINDS.includes(type)))
    return "types: one or more of platform, function and extension";
  const buffering = said["buffering"] === undefined ? {} : membersOf(said["buffering"]);
  if (buffering === undefined) return "buffering: an object";
  const bounds: Record<keyof typeof BOUNDS, number> = { maxItems: 0, maxBytes: 0, timeoutMs: 0 };
  for (const name of ["maxItems", "maxBytes", "timeoutMs"] as const) {
    const { least, most, otherwise } = BOUNDS[name];
    const value = buffering[name] ?? otherwise;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
      return `buffering.${name}: a whole number from ${least} to ${most}`;
    bounds[name] = value;
  }
  const destination = readDestination(membersOf(said["destination"]) ?? {});
  if (typeof destination === "string") return destination;
  const { maxItems: itemsMax, maxBytes: bytesMax, timeoutMs } = bounds;
  return { types: new Set(types), itemsMax, bytesMax, timeoutMs, ...destination };
}

function readDestination(said: Members): Pick<TelemetrySubscription, "protocol" | "port" | "path"> | string {
  const { protocol } = said;
  if (protocol === "TCP") {
    const { port } = said;
    if (typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536)
      return { protocol, port, path: "" };
    return "destination.port: a number from 1 to 65535";
  }
  if (protocol !== "HTTP") return "destination.protocol: HTTP or TCP";
  const uri = URL.parse(String(said["URI"] ?? said["uri"] ?? ""));
  // Whatever is elsewhere is nobody's to be told.
  if (uri === null || uri.protocol !== "http:" || !HOSTS.includes(uri.hostname))
    return "destination.URI: http://sandbox.localdomain:PORT";
  return { protocol, port: Number(uri.port === "" ? 80 : uri.port), path: uri.pathname + uri.search };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}
