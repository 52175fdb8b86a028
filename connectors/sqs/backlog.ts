import { MillraceError } from "../../src/model/errors.ts";
import type { SourceBacklog } from "../../src/ports/source-backlog.ts";
import type { QueueArn } from "./queue-arn.ts";
import type { SqsApi } from "./sqs-api.ts";

/** To be received, held by a receiver, and not to be received yet. */
const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/**
 * What the queue says of itself. The counts are approximate, and agree with the queue within about a minute after its
 * last change: whoever goes by a zero waits that long.
 */
export function createSqsBacklog(
  arn: QueueArn,
  api: Pick<SqsApi, "queueAttributes" | "close">,
): SourceBacklog {
  return {
    async look(signal) {
      const attributes = await api.queueAttributes(signal);
      const counts = COUNTS.map((name) => Number(attributes[name] ?? Number.NaN));
      const elements = counts.reduce((sum, count) => sum + count, 0);
      if (!Number.isInteger(elements)) throw uncounted(arn);
      return { elements, parts: Math.min(1, elements) };
    },
    async close() {
      api.close();
    },
  };
}

function uncounted({ arn }: QueueArn): MillraceError {
  const message = `sqs:GetQueueAttributes on ${arn} does not say how many messages there are. If an endpoint override is set, look at what answers there.`;
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", message);
}
