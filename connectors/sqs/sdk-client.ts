import { SQSClient } from "@aws-sdk/client-sqs";
import { createLeanClient } from "../../src/aws/lean-client.ts";
import { withoutOddNames } from "./odd-names.ts";
import type { QueueArn } from "./queue-arn.ts";

/** Each receive that waits holds a connection; settlements must not stand behind them. */
const CONNECTIONS_MAX = 512;

/**
 * Region from the ARN; credentials and endpoint by the SDK's own rules, among them `AWS_ENDPOINT_URL_SQS`. No retries
 * here: the engine retries and counts.
 */
export function createSqsClient({ region }: QueueArn): SQSClient {
  const needs = {
    region,
    service: "sqs",
    connections: CONNECTIONS_MAX,
    seeAnswer: <A extends { readonly body: Buffer }>(_commandName: string, answer: A): A => {
      // plant: an-attribute-that-is-called-proto-fails-its-whole-receive
      return { ...answer, body: withoutOddNames(answer.body) };
    },
  };
  return createLeanClient(
    needs,
    (settings) =>
      new SQSClient({
        ...settings,
        // SQS and TLS both vouch for a body already; the third sum would cost more than all else that is done with it.
        md5: false,
        // An emulator's queue URLs may name hosts that do not resolve here, and no answer may choose a host to call.
        useQueueUrlAsEndpoint: false,
      }),
  );
}
