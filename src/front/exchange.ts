import type { RouteResource } from "../manifests/route-resource.ts";
import { cloudOf, type Place } from "../model/place.ts";

/** A header of a request or an answer; its name as it was written. */
export type Header = readonly [name: string, value: string];

/** A request of somebody outside, whole, with what its function is told of where it came from. */
export interface FrontRequest {
  /** The caller, the function and the log know it by this. */
  readonly requestId: string;
  readonly method: string;
  /** As it came: not decoded, not normalised, without the query. */
  readonly rawPath: string;
  /** What stood behind the question mark, as it came. */
  readonly rawQuery: string;
  /** In their order, names as they were written; those of the connection alone are gone. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** The name that it came to, without the port. */
  readonly host: string;
  readonly protocol: string;
  readonly sourceIp: string;
  /** When it came, epoch milliseconds. */
  readonly nowMs: number;
  /** Who signed it; `undefined`: nobody had to. */
  readonly signer?: Signer | undefined;
}

/** Who made a signature, as `--api-credentials` knows them. */
export interface Signer {
  readonly accessKeyId: string;
  readonly name: string;
}

/** A request, and the route that it took. */
export interface Exchange {
  readonly request: FrontRequest;
  readonly route: RouteResource;
  /** Decoded parts of the path, by their names in the route's pattern. */
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly place: Place;
}

export interface FrontAnswer {
  readonly status: number;
  /** The words behind the status; default: HTTP's. */
  readonly reason?: string;
  readonly headers: readonly Header[];
  readonly body: Uint8Array | string;
}

/** Why a request has no answer of its function. */
export type Failure =
  /** The function failed, or did not answer in its time. */
  | "functionFailed"
  /** It answered with something that no HTTP response can be made of. */
  | "malformed"
  /** No place came free, or none may be had. */
  | "throttled"
  /** The function is not there, or the caller may not call it. */
  | "forbidden"
  /** It cannot be opened or reached. */
  | "unavailable"
  /** The request's body is larger than the function takes. */
  | "tooLarge"
  /** Its shape's own time was up: the function goes on. */
  | "late";

/** One of AWS's forms of HTTP events: a request to an event, and a function's answer to a response. Pure. */
export interface Codec {
  /** Bytes of a request's body. */
  readonly bodyBytesMax: number;
  /** How long this front of AWS waits, milliseconds; absent: as long as the function may take. */
  readonly waitMsMax?: number;
  /** What the function gets, to be written as JSON. */
  event(exchange: Exchange): object;
  /** `undefined`: nothing that a response can be made of. */
  answer(payload: Uint8Array, exchange: Exchange): FrontAnswer | undefined;
  /** What AWS answers in the function's place. */
  failed(why: Failure): FrontAnswer;
  /** The head of a response that streams, of its prelude; absent: the shape does not stream. */
  head?(prelude: unknown): FrontAnswer | undefined;
}

const MIB = 1024 * 1024;
/** Lambda's bound of a synchronous payload. */
export const BODY_BYTES_MAX = 6 * MIB;

export function jsonAnswer(status: number, body: object, headers: readonly Header[] = []): FrontAnswer {
  return { status, headers: [["content-type", "application/json"], ...headers], body: JSON.stringify(body) };
}

/** Callers are users of the one account, by their names. */
export function userArn({ name }: Signer, { region, account }: Place): string {
  return `arn:${cloudOf(region)}:iam::${account}:user/${name}`;
}
