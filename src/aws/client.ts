import { defaultProvider } from "@aws-sdk/credential-provider-node";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { keepClockOffset } from "./clock-offsets.ts";
import { RotatingCredentials } from "./credentials.ts";
import { awsFaultOf, memberOf, rememberSkew } from "./fault.ts";
import { createHttpHandler } from "./http-handler.ts";

export interface ClientNeeds {
  /** Default: the SDK's own rules. */
  readonly region?: string | undefined;
  /** Default: the SDK's own rules, among them `AWS_ENDPOINT_URL` and its siblings. */
  readonly endpoint?: string | undefined;
  /** At once. What waits beyond waits for one. */
  readonly connections?: number;
  readonly connectMs?: number;
  /** A request on whose connection nothing moves for so long has failed. Default: its call's deadline alone ends it. */
  readonly silenceMs?: number;
}

/** For services that answer at once. A whole answer may take longer on a slow line, but something of it comes. */
export const SILENCE_MS_MAX = 10_000;

/** What the SDK's constructors take; a client that has a handler of its own overwrites it. */
export interface ClientSettings {
  readonly maxAttempts: 1;
  readonly credentialDefaultProvider: (config: object) => () => Promise<CurrentCredentials>;
  readonly requestHandler: NodeHttpHandler;
  readonly region?: string;
  readonly endpoint?: string;
}

interface CurrentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The part of the SDK's clients that all of them have. */
interface SdkClient {
  readonly config: { readonly serviceId: string; systemClockOffset: number };
  /** Each client's has types of its own; what is added here passes on whatever comes. */
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

type Handler = (args: never) => Promise<never>;

/**
 * The one way to a client of the SDK. Each request is sent once: who calls tries again, and counts. But a request that
 * was refused unseen, for this host's clock or for credentials that others have replaced by now, is sent once more at
 * once, with the time and the credentials that are right.
 */
export function createAwsClient<C extends SdkClient>(
  needs: ClientNeeds,
  create: (settings: ClientSettings) => C,
): C {
  const { region, endpoint, connections, connectMs, silenceMs } = needs;
  let credentials: RotatingCredentials | undefined;
  const client = create({
    maxAttempts: 1,
    requestHandler: createHttpHandler(connections, connectMs, silenceMs),
    credentialDefaultProvider: (config) => {
      credentials ??= new RotatingCredentials(() => defaultProvider({ ...config, ignoreCache: true })());
      const known = credentials;
      return () => known.get();
    },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const place = endpoint ?? process.env["AWS_ENDPOINT_URL"] ?? "";
  // plant: the-services-time-is-forgotten-with-its-client
  keepClockOffset(client.config, `${client.config.serviceId} ${region ?? ""} ${place}`);
  addOutermost(client, "initialize", (next, args) => sendAsRight(next, args, credentials));
  addOutermost(client, "deserialize", noteSkew);
  return client;
}

function addOutermost(
  { middlewareStack }: SdkClient,
  step: "initialize" | "deserialize",
  handle: (next: Handler, args: never) => Promise<never>,
): void {
  const middleware = (next: Handler) => (args: never) => handle(next, args);
  middlewareStack.add(middleware as never, { step, name: `millrace-${step}`, priority: "high" } as never);
}

async function sendAsRight(
  next: Handler,
  args: never,
  credentials: RotatingCredentials | undefined,
): Promise<never> {
  const before = credentials?.current;
  try {
    return await next(args);
  } catch (error) {
    const { fault } = awsFaultOf(error);
    // The SDK has learnt the service's time from this very answer.
    const isRight =
      fault === "clock" ||
      ((fault === "credentials" || fault === "credentialsExpired") &&
        (await credentials?.refused(before ?? credentials.current)));
    if (!isRight) throw error;
  }
  return await next(args);
}

async function noteSkew(next: Handler, args: never): Promise<never> {
  const sentMs = Date.now();
  try {
    return await next(args);
  } catch (error) {
    const serviceMs = Date.parse(String(headerOf(memberOf(error, "$response"), "date")));
    const signedMs = parseSigningTime(String(headerOf(memberOf(args, "request"), "x-amz-date")));
    if (!Number.isNaN(serviceMs)) {
      rememberSkew(error, Number.isNaN(signedMs) ? 0 : serviceMs - signedMs, serviceMs - sentMs);
    }
    throw error;
  }
}

function headerOf(message: unknown, name: string): unknown {
  return memberOf(memberOf(message, "headers"), name);
}

/** `20260929T201500Z` */
function parseSigningTime(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
