import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler, type NodeHttpHandler } from "@smithy/node-http-handler";
import { createAwsClient, SILENCE_MS_MAX } from "../../src/aws/client.ts";
import { createHttpHandler } from "../../src/aws/http-handler.ts";
import { createLeanClient, type LeanNeeds } from "../../src/aws/lean-client.ts";
import type { ServiceClock } from "./service-clock.ts";

/** One request per shard and moment; shards beyond this wait for a connection. */
const CONNECTIONS_MAX = 256;

/**
 * A client for everything but subscriptions. Region from the ARN; endpoint and credentials by the SDK's own rules of
 * environment and profile. HTTP/1.1: emulators fail over HTTP/2, and the service serves both alike.
 */
export function createPollingClient(
  region: string,
  seeAnswer?: NonNullable<LeanNeeds["seeAnswer"]>,
): KinesisClient {
  const needs = { region, service: "kinesis", connections: CONNECTIONS_MAX, silenceMs: SILENCE_MS_MAX };
  return createLeanClient(
    seeAnswer === undefined ? needs : { ...needs, seeAnswer },
    (settings) => new KinesisClient(settings),
  );
}

/**
 * A client for subscriptions. The service wants HTTP/2 for them: each gets a connection of its own, since one shard
 * that is read slowly would hold up the others on a shared one. Hosts that are not the service's get HTTP/1.1: the
 * emulators that environment or profile name fail over HTTP/2, while a VPC endpoint named there needs it.
 */
export function createSubscriptionClient(
  region: string,
  clock: ServiceClock,
  wantsHttp2 = isServiceHost,
): KinesisClient {
  // No time-outs of inactivity: a subscription that is not read, for want of room, is none the worse for it.
  const http1 = createHttpHandler(CONNECTIONS_MAX);
  const http2 = new NodeHttp2Handler({ disableConcurrentStreams: true });
  const requestHandler = {
    handle: (...[request, options]: Parameters<NodeHttpHandler["handle"]>) =>
      wantsHttp2(request.hostname) ? http2.handle(request, options) : http1.handle(request, options),
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    destroy: () => {
      http1.destroy();
      http2.destroy();
    },
  };
  const client = createAwsClient(
    { region },
    (settings) => new KinesisClient({ ...settings, requestHandler }),
  );
  observeServiceTime(client, clock);
  return client;
}

/** DNS suffixes of AWS's partitions. */
const SERVICE_HOST =
  /\.(amazonaws\.(com|com\.cn|eu)|api\.aws|api\.amazonwebservices\.(com\.cn|eu)|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

export function isServiceHost(hostname: string): boolean {
  return SERVICE_HOST.test(hostname.toLowerCase());
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
  // What was made of an answer is only known further out.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if (result.output !== undefined) clock.date(result.output, dateHeader(result.response));
      return result;
    },
    { step: "deserialize", name: "millraceAnswerDate", priority: "high" },
  );
}

function dateHeader(response: unknown): string | undefined {
  if (typeof response !== "object" || response === null || !("headers" in response)) return undefined;
  const headers = response.headers as Readonly<Record<string, string | undefined>>;
  return headers["date"];
}
