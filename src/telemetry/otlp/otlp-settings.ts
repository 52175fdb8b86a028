import { MillraceError } from "../../model/errors.ts";
import type { Sampling } from "../../ports/tracing.ts";
import { Secret } from "../../secrets/secret.ts";
import { hasCredentials } from "../../secrets/url-secrets.ts";

/** How spans are made and sent. Names and defaults are OpenTelemetry's environment variables. */
export interface OtlpSettings {
  /** Where `/v1/traces` is. */
  readonly url: URL;
  /** Their values are secrets more often than not. */
  readonly headers: readonly (readonly [name: string, value: Secret])[];
  /** How long one request may take. */
  readonly timeoutMs: number;
  readonly isCompressed: boolean;
  readonly sampling: Sampling;
  readonly linksMax: number;
  /** Spans that wait to be sent; more are dropped. */
  readonly queueMax: number;
  /** Spans of one request. */
  readonly batchMax: number;
  /** How long a span waits for company. */
  readonly delayMs: number;
  /** `service.name` and what else describes this process. */
  readonly resource: ReadonlyMap<string, string>;
  /** What was asked for and is not done, for the log. */
  readonly remarks: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const TRACES_PATH = "/v1/traces";

/**
 * Reads `--otlp URL` (`given`) and OpenTelemetry's environment variables; the flag goes before the environment.
 * `undefined`: nobody asked for traces, or somebody asked for none.
 * @throws MillraceError ERR_MILLRACE_CONFIG, which shows no header and no user name or password of a URL.
 */
export function readOtlpSettings(given: string | undefined, env: Environment): OtlpSettings | undefined {
  const text = (name: string) => {
    const value = env[name]?.trim();
    return value === "" ? undefined : value;
  };
  if (given === "off" || text("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return undefined;
  if (given === undefined && text("OTEL_TRACES_EXPORTER") === "none") return undefined;
  const url = endpointOf(given, text);
  if (url === undefined) return undefined;
  const number = (name: string, fallback: number, min: number, max: number) =>
    wholeNumber(name, text(name), { fallback, min, max });
  const queueMax = number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1, 1_000_000);
  const timeoutMs = number("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, 1, 600_000);
  return {
    url,
    headers: headersOf(text("OTEL_EXPORTER_OTLP_TRACES_HEADERS") ?? text("OTEL_EXPORTER_OTLP_HEADERS")),
    timeoutMs: number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", timeoutMs, 1, 600_000),
    isCompressed: isGzip(
      text("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION") ?? text("OTEL_EXPORTER_OTLP_COMPRESSION"),
    ),
    sampling: samplingOf(text("OTEL_TRACES_SAMPLER"), text("OTEL_TRACES_SAMPLER_ARG")),
    linksMax: number("OTEL_SPAN_LINK_COUNT_LIMIT", 128, 0, 1000),
    queueMax,
    batchMax: Math.min(queueMax, number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1, 10_000)),
    delayMs: number("OTEL_BSP_SCHEDULE_DELAY", 5000, 1, 600_000),
    resource: resourceOf(text("OTEL_RESOURCE_ATTRIBUTES"), text("OTEL_SERVICE_NAME")),
    remarks: remarksOn(
      text("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? text("OTEL_EXPORTER_OTLP_PROTOCOL") ?? "http/json",
    ),
  };
}

type Text = (name: string) => string | undefined;

function endpointOf(given: string | undefined, text: Text): URL | undefined {
  const whole = given === undefined ? text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") : undefined;
  if (whole !== undefined) return parseUrl("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole);
  const base = given ?? text("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (base === undefined) return undefined;
  const url = parseUrl(given === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "--otlp", base);
  if (!url.pathname.endsWith(TRACES_PATH)) url.pathname = url.pathname.replace(/\/?$/, TRACES_PATH);
  return url;
}

function parseUrl(name: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw invalid(
      `${name} must begin with http:// or https:// and name a host, such as http://127.0.0.1:4318`,
    );
  }
  if (hasCredentials(url)) {
    throw invalid(
      `${name} holds a user name or password: give them in OTEL_EXPORTER_OTLP_HEADERS as authorization=…`,
    );
  }
  return url;
}

/** `name=value,name=value`, values percent-encoded. */
function headersOf(list: string | undefined): OtlpSettings["headers"] {
  return pairsOf("OTEL_EXPORTER_OTLP_HEADERS", list).map(([name, value]) => {
    const isHeader = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
    if (!isHeader)
      throw invalid("OTEL_EXPORTER_OTLP_HEADERS holds a name or value that no HTTP header may have");
    return [name.toLowerCase(), new Secret(value)];
  });
}

function resourceOf(list: string | undefined, serviceName: string | undefined): ReadonlyMap<string, string> {
  const resource = new Map(pairsOf("OTEL_RESOURCE_ATTRIBUTES", list));
  if (serviceName !== undefined) resource.set("service.name", serviceName);
  if (!resource.has("service.name")) resource.set("service.name", "millrace");
  return resource;
}

function pairsOf(variable: string, list: string | undefined): [name: string, value: string][] {
  if (list === undefined) return [];
  return list
    .split(",")
    .filter((pair) => pair.trim() !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      if (at <= 0) throw invalid(`${variable} must be a list name=value,name=value`);
      try {
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
      } catch {
        throw invalid(`${variable} holds a value with a % that begins no percent-encoded byte`);
      }
    });
}

function isGzip(compression: string | undefined): boolean {
  if (compression === undefined || compression === "none") return false;
  if (compression === "gzip") return true;
  throw invalid("OTEL_EXPORTER_OTLP_COMPRESSION must be gzip or none");
}

/** OpenTelemetry's samplers by their names; parentbased_always_on is its default. */
function samplingOf(name = "parentbased_always_on", argument = "1"): Sampling {
  const followsParent = name.startsWith("parentbased_");
  switch (followsParent ? name.slice("parentbased_".length) : name) {
    case "always_on":
      return { followsParent, ratio: 1 };
    case "always_off":
      return { followsParent, ratio: 0 };
    case "traceidratio": {
      const ratio = Number(argument);
      if (ratio >= 0 && ratio <= 1) return { followsParent, ratio };
      throw invalid("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1");
    }
  }
  throw invalid(
    "OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, with or without parentbased_ before it",
  );
}

function remarksOn(protocol: string): readonly string[] {
  if (protocol === "http/json") return [];
  if (protocol === "http/protobuf") {
    return [
      "spans are sent as http/json, which a collector takes at the same address as the http/protobuf asked for",
    ];
  }
  throw invalid("OTEL_EXPORTER_OTLP_PROTOCOL must be http/json: spans are not sent over gRPC");
}

function wholeNumber(
  name: string,
  text: string | undefined,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value;
  throw invalid(`${name} must be a whole number from ${min} to ${max}`);
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}.`);
}
