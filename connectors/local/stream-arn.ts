import { MillraceError } from "../../src/model/errors.ts";

/** `arn:aws:local:REGION:ACCOUNT:stream/NAME`: the nearest form to Kinesis's. */
export interface StreamArn {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

export const ARN_SERVICE = "local";

const PATTERN = /^arn:aws[a-z-]*:local:([a-z0-9-]*):(\d{12})?:stream\/([a-zA-Z0-9_.-]{1,128})$/;

/** Region and account may be left out, as in every ARN of a manifest. @throws ERR_MILLRACE_CONFIG */
export function parseStreamArn(arn: string): StreamArn {
  const match = PATTERN.exec(arn);
  const name = match?.[3];
  if (name === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `"${arn.slice(0, 300)}" is not the ARN of a local stream. Write eventSourceArn as ` +
        "arn:aws:local:REGION:ACCOUNT:stream/NAME, for example arn:aws:local:us-east-1:000000000000:stream/orders.",
    );
  }
  return { arn, region: match?.[1] || "us-east-1", account: match?.[2] ?? "000000000000", name };
}
