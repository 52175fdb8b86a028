import { buildApp } from "fauxqs";

/**
 * An emulator of SQS, SNS and S3, on a loopback port of its own, inside this process. Its state ends with it.
 * `MILLRACE_TEST_AWS_ENDPOINT` names a running server to use instead, which `close` leaves alone.
 *
 * Its FIFO queues differ from AWS's, its policies allow all, and its queue URLs name hosts that may not resolve.
 */
export async function startFauxqs(): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const running = process.env["MILLRACE_TEST_AWS_ENDPOINT"];
  if (running !== undefined && running !== "") return { endpoint: running, close: async () => undefined };
  const app = buildApp({ logger: false });
  // The package's own way to start listens on all addresses.
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    endpoint,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
