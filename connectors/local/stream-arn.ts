import { MillraceError } from "../../src/model/errors.ts";

/** `arn:aws:local:REGION:ACCOUNT:stream/NAME`: the nearest form to Kinesis's. */
export interface StreamArn {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

export const ARN_SERVICE = "local";

/** @throws ERR_MILLRACE_CONFIG */
export function parseStreamArn(arn: string): StreamArn {
  const match = /^arn:aws[a-z-]*:local:([a-z0-9-]+):(\d{12}):stream\/([a-zA-Z0-9_.-]{1,128})$/.exec(arn);
  const [, region, account, name] = match ?? [];
  if (region === undefined || account === undefined || name === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `"${arn.slice(0, 300)}" is not the ARN of a local stream. Write eventSourceArn as ` +
        "arn:aws:local:REGION:ACCOUNT:stream/NAME, for example arn:aws:local:local:000000000000:stream/orders.",
    );
  }
  return { arn, region, account, name };
}
