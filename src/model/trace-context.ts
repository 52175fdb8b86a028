/** One span's place in its trace: what W3C's `traceparent` and X-Ray's trace header both say. */
export interface SpanContext {
  /** 32 hex digits in lower case, not all 0. The first 8 are the epoch second of its begin, as X-Ray wants them. */
  readonly traceId: string;
  /** 16 hex digits in lower case, not all 0. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** W3C's `tracestate`, passed on unread. */
  readonly traceState: string | undefined;
}

/** A context that came from elsewhere. X-Ray may name a trace without a span, and may leave the decision open. */
export interface RemoteContext {
  readonly traceId: string;
  readonly spanId: string | undefined;
  readonly sampled: boolean | undefined;
  readonly traceState: string | undefined;
}

/** Trace headers that came with a record: untrusted and not looked at yet. */
export interface TraceCarrier {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** `X-Amzn-Trace-Id`, and `AWSTraceHeader` of queues. */
  readonly xray?: string | undefined;
}

/**
 * Headers longer than this are not trace headers. W3C asks for 512 characters of `tracestate`; the others need fewer.
 */
export const TRACE_HEADER_CHARS_MAX = 512;

/** W3C's headers before X-Ray's, if both can be read. `undefined`: none can. */
export function readTraceCarrier({ traceparent, tracestate, xray }: TraceCarrier): RemoteContext | undefined {
  const w3c = traceparent === undefined ? undefined : readTraceparent(traceparent, tracestate);
  if (w3c !== undefined) return w3c;
  return xray === undefined ? undefined : readXrayHeader(xray);
}

const HEX_PAIR = /^[0-9a-f]{2}$/;
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const TRACEPARENT_CHARS = 55;

/** W3C Trace Context, level 2. A version that is newer may say more behind what this one says. */
function readTraceparent(text: string, tracestate: string | undefined): RemoteContext | undefined {
  const isTooLong = text.length > TRACE_HEADER_CHARS_MAX;
  if (isTooLong || text.length < TRACEPARENT_CHARS) return undefined;
  const [version = "", traceId = "", spanId = "", flags = ""] = text.split("-", 4);
  if (!HEX_PAIR.test(version) || version === "ff") return undefined;
  const end = text.charAt(TRACEPARENT_CHARS);
  if (version === "00" ? end !== "" : end !== "" && end !== "-") return undefined;
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId) || !HEX_PAIR.test(flags)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, traceState: tracestate && readTracestate(tracestate) };
}

const MEMBERS_MAX = 32;
const MEMBER =
  /^(?:[a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** As it is, when it is well-formed: it goes out again as a header of ours. Otherwise as if there were none. */
function readTracestate(text: string): string | undefined {
  if (text.length > TRACE_HEADER_CHARS_MAX) return undefined;
  const members = text
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > MEMBERS_MAX) return undefined;
  return members.every((member) => MEMBER.test(member)) ? members.join(",") : undefined;
}

const ROOT = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/;

/** `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`; only the root must be there. */
function readXrayHeader(text: string): RemoteContext | undefined {
  if (text.length > TRACE_HEADER_CHARS_MAX) return undefined;
  const members = new Map<string, string>();
  for (const member of text.split(";")) {
    const [name = "", value = ""] = member.split("=", 2);
    members.set(name.trim().toLowerCase(), value.trim());
  }
  const [, second = "", unique = ""] = ROOT.exec(members.get("root") ?? "") ?? [];
  const traceId = second + unique;
  const spanId = members.get("parent");
  if (!TRACE_ID.test(traceId) || (spanId !== undefined && !SPAN_ID.test(spanId))) return undefined;
  const decision = members.get("sampled");
  const sampled = decision === "1" ? true : decision === "0" ? false : undefined;
  return { traceId, spanId, sampled, traceState: undefined };
}

export function traceparentOf({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;
}

export function xrayHeaderOf({ traceId, spanId, sampled }: SpanContext): string {
  return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=${sampled ? 1 : 0}`;
}
