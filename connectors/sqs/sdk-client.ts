import { SQSClient } from "@aws-sdk/client-sqs";
import { createAwsClient } from "../../src/aws/client.ts";
import { HttpHandler, type HttpRequest } from "./http-handler.ts";
import { withoutOddNames } from "./odd-names.ts";
import type { QueueArn } from "./queue-arn.ts";
import { RequestSigner } from "./request-signer.ts";

const CONNECTION_MS_MAX = 5_000;
/** Each receive that waits holds a connection; settlements must not stand behind them. */
const CONNECTIONS_MAX = 512;
/** Ten messages of 1 MiB, each character of them escaped, and their attributes. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

/** The signals of calls: the SDK caches nothing for a command that is sent with options. */
const signals = new WeakMap<object, AbortSignal>();

/** Has `signal` end the call that this command makes. */
export function abortable<C extends { readonly input: object }>(command: C, signal: AbortSignal): C {
  signals.set(command.input, signal);
  return command;
}

/**
 * Region from the ARN; credentials and endpoint by the SDK's own rules, among them `AWS_ENDPOINT_URL_SQS`. HTTP/1.1
 * always, which emulators speak. No retries here: the engine retries and counts. What is done for speed: decision 0015.
 */
export function createSqsClient({ region }: QueueArn): SQSClient {
  const requestHandler = new HttpHandler({
    connectMsMax: CONNECTION_MS_MAX,
    connectionsMax: CONNECTIONS_MAX,
    responseBytesMax: RESPONSE_BYTES_MAX,
  });
  const client: SQSClient = createAwsClient(
    { region },
    (settings) =>
      new SQSClient({
        ...settings,
        cacheMiddleware: true,
        // SQS and TLS both vouch for a body already; the third sum would cost more than all else that is done with it.
        md5: false,
        // An emulator's queue URLs may name hosts that do not resolve here, and no answer may choose a host to call.
        useQueueUrlAsEndpoint: false,
        requestHandler,
        signer: new RequestSigner(region, () => client.config.credentials()),
      }),
  );
  // The handler has a name of its own.
  client.middlewareStack.remove("getUserAgentMiddleware");
  // Innermost, where the client itself would call the handler, though without the signal.
  client.middlewareStack.add(
    () => async (args) => {
      const { response } = await requestHandler.send(args.request as HttpRequest, signals.get(args.input));
      // plant: an-attribute-that-is-called-proto-fails-its-whole-receive
      return { response: { ...response, body: withoutOddNames(response.body) } };
    },
    { step: "deserialize", priority: "low", name: "millraceSend" },
  );
  return client;
}
