import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import type { ServiceClock } from "./service-clock.ts";

const CONNECTION_MS_MAX = 5_000;
const RESPONSE_MS_MAX = 30_000;
/** One request per shard and moment; shards beyond this wait for a connection. */
const CONNECTIONS_MAX = 256;

/**
 * A client for everything but subscriptions. Region from the ARN; endpoint and credentials by the SDK's own rules of
 * environment and profile. HTTP/1.1: emulators fail over HTTP/2, and the service serves both alike.
 */
export function createPollingClient(region: string, clock: ServiceClock): KinesisClient {
  const client = new KinesisClient({ region, maxAttempts: 1, requestHandler: createHttp1Handler() });
  observeServiceTime(client, clock);
  return client;
}

/**
 * A client for subscriptions: over HTTP/2 as the service wants it, each with a connection of its own, since one shard
 * that is read slowly would hold up the others on a shared one. At an endpoint that environment or profile name, over
 * HTTP/1.1.
 */
export function createSubscriptionClient(region: string, hasOwnEndpoint: boolean): KinesisClient {
  const requestHandler = hasOwnEndpoint
    ? createHttp1Handler()
    : new NodeHttp2Handler({ requestTimeout: RESPONSE_MS_MAX, disableConcurrentStreams: true });
  return new KinesisClient({ region, maxAttempts: 1, requestHandler });
}

/** Known only after a request: the SDK looks at environment and profile when it makes one. */
export function hasOwnEndpoint(client: KinesisClient): boolean {
  return client.config.isCustomEndpoint === true;
}

function createHttp1Handler(): NodeHttpHandler {
  return new NodeHttpHandler({
    connectionTimeout: CONNECTION_MS_MAX,
    requestTimeout: RESPONSE_MS_MAX,
    socketTimeout: RESPONSE_MS_MAX,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
    httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
  });
}

function observeServiceTime(client: KinesisClient, clock: ServiceClock): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      clock.observe(dateHeader(result.response));
      return result;
    },
    { step: "deserialize", name: "millraceServiceTime", priority: "low" },
  );
}

function dateHeader(response: unknown): string | undefined {
  if (typeof response !== "object" || response === null || !("headers" in response)) return undefined;
  const headers = response.headers as Readonly<Record<string, string | undefined>>;
  return headers["date"];
}
