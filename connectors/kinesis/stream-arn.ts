import { MillraceError } from "../../src/model/errors.ts";

/** A data stream's ARN, or one of its registered consumers': the latter asks for enhanced fan-out. */
export interface StreamArn {
  /** As the mapping gives it: what events and failure records show (streams §2.3). */
  readonly arn: string;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
  /** `undefined` when the ARN leaves region or account out: the name then stands for the stream. */
  readonly streamArn: string | undefined;
  readonly consumerArn: string | undefined;
}

export const ARN_SERVICE = "kinesis";

const PATTERN =
  /^arn:(aws[a-z-]*):kinesis:([a-z0-9-]*):(\d{12})?:stream\/([a-zA-Z0-9_.-]{1,128})(\/consumer\/[a-zA-Z0-9_.-]{1,128}:\d+)?$/;

/** @throws ERR_MILLRACE_CONFIG */
export function parseStreamArn(arn: string): StreamArn {
  const match = PATTERN.exec(arn);
  const [, partition, region, account, name, consumer] = match ?? [];
  if (partition === undefined || name === undefined) throw notAStreamArn(arn);
  const isWhole = region !== undefined && region !== "" && account !== undefined;
  if (consumer !== undefined && !isWhole) throw notAStreamArn(arn);
  return {
    arn,
    partition,
    region: region || "us-east-1",
    account: account ?? "000000000000",
    name,
    streamArn: isWhole ? `arn:${partition}:kinesis:${region}:${account}:stream/${name}` : undefined,
    consumerArn: consumer === undefined ? undefined : arn,
  };
}

function notAStreamArn(arn: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `"${arn.slice(0, 300)}" is not the ARN of a Kinesis data stream. Write eventSourceArn as ` +
      "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME or, for enhanced fan-out, as the whole ARN of a registered consumer: " +
      "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME/consumer/CONSUMER:CREATED.",
  );
}
