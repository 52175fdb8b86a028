import { MillraceError } from "../../src/model/errors.ts";

/** `arn:aws:local:REGION:ACCOUNT:queue/NAME`, beside `…:stream/NAME` for the streams of the file. */
export interface QueueArn {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

const PATTERN = /^arn:aws[a-z-]*:local:([a-z0-9-]*):(\d{12})?:queue\/([a-zA-Z0-9_-]{1,80}(?:\.fifo)?)$/;

/** Region and account may be left out, as in every ARN of a manifest. @throws ERR_MILLRACE_CONFIG */
export function parseQueueArn(arn: string): QueueArn {
  const match = PATTERN.exec(arn);
  const name = match?.[3];
  if (name === undefined || name.length > 80) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `"${arn.slice(0, 300)}" is not the ARN of a local queue. Write eventSourceArn as ` +
        "arn:aws:local:REGION:ACCOUNT:queue/NAME, for example arn:aws:local:us-east-1:000000000000:queue/orders.fifo.",
    );
  }
  return { arn, region: match?.[1] || "us-east-1", account: match?.[2] ?? "000000000000", name };
}

/** The ARN of another queue of the same file. */
export function siblingArn(queue: QueueArn, name: string): string {
  return queue.arn.slice(0, queue.arn.length - queue.name.length) + name;
}
