import { createDynamodbSource } from "../../../../connectors/dynamodb-streams/source.ts";
import { parseStreamArn } from "../../../../connectors/dynamodb-streams/stream-arn.ts";
import type { StreamSource } from "../../../../src/ports/stream-source.ts";
import type { FakeStream } from "./fake-stream.ts";

export const ARN = parseStreamArn(
  "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
);

/** A source on the fake, whose pauses between calls move the fake's clock and are noted. */
export function openFakeSource(stream: FakeStream, pauses: number[] = []): StreamSource {
  return createDynamodbSource(ARN, stream, {
    monotonic: () => stream.nowMs,
    pause: async (ms) => {
      pauses.push(ms);
      stream.nowMs += ms;
    },
  });
}
