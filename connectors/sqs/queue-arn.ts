import { MillraceError } from "../../src/model/errors.ts";

/** `arn:aws:sqs:REGION:ACCOUNT:NAME` */
export interface QueueArn {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
  /** A FIFO queue's name ends in `.fifo`, and no other's. */
  readonly isFifo: boolean;
}

export const ARN_SERVICE = "sqs";

const PATTERN =
  /^arn:aws[a-zA-Z0-9-]*:sqs:([a-z0-9-]+):(\d{12}):([a-zA-Z0-9_-]{1,80}|[a-zA-Z0-9_-]{1,75}\.fifo)$/;

/** @throws ERR_MILLRACE_CONFIG */
export function parseQueueArn(arn: string): QueueArn {
  const [, region, account, name] = PATTERN.exec(arn) ?? [];
  if (region === undefined || account === undefined || name === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `${JSON.stringify(arn.slice(0, 300))} is not the ARN of an SQS queue. Write eventSourceArn as ` +
        "arn:aws:sqs:REGION:ACCOUNT:NAME, for example arn:aws:sqs:eu-west-1:123456789012:orders.",
    );
  }
  return { arn, region, account, name, isFifo: name.endsWith(".fifo") };
}
