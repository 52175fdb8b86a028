import { MillraceError } from "../../src/model/errors.ts";

/** `arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL` */
export interface StreamArn {
  readonly arn: string;
  readonly region: string;
}

export const ARN_SERVICE = "dynamodb";

const STREAM =
  /^arn:aws[a-zA-Z0-9-]*:dynamodb:([a-z0-9-]+):\d{12}:table\/[a-zA-Z0-9_.-]{3,255}\/stream\/[0-9T:.-]+$/;
const TABLE = /^arn:aws[a-zA-Z0-9-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[a-zA-Z0-9_.-]+$/;

/** The API takes the ARN as it is, so no part of it may be left out. @throws ERR_MILLRACE_CONFIG */
export function parseStreamArn(arn: string): StreamArn {
  const region = STREAM.exec(arn)?.[1];
  if (region !== undefined) return { arn, region };
  const shown = JSON.stringify(arn.slice(0, 300));
  const what = TABLE.test(arn)
    ? "is the ARN of a table, not of its stream"
    : "is not the ARN of a DynamoDB stream";
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `${shown} ${what}. Write eventSourceArn as arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL: the table's ` +
      "LatestStreamArn, as `aws dynamodb describe-table` shows it once a stream is enabled.",
  );
}
