import { NodeHttpHandler } from "@smithy/node-http-handler";

const CONNECT_MS_MAX = 5_000;
const CONNECTIONS_MAX = 50;

/**
 * Settings of all clients. Endpoints, profiles and credentials are the SDK's own business, by its environment
 * variables (`AWS_ENDPOINT_URL_SQS` and its siblings, `AWS_PROFILE`, …).
 */
export function clientSettings() {
  return {
    // The engine retries, with its own back-off, and counts each try.
    maxAttempts: 1,
    // HTTP/1.1, which emulators speak. What waits for a connection is no news, and would be printed between the logs.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS_MAX,
      httpAgent: { maxSockets: CONNECTIONS_MAX },
      httpsAgent: { maxSockets: CONNECTIONS_MAX },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    }),
  };
}
