import { awsFaultOf } from "../../src/aws/fault.ts";
import { sourceErrorOf } from "../../src/aws/source-error.ts";
import type { MillraceError } from "../../src/model/errors.ts";

/** A call that failed, for the error's text. */
export interface FailedCall {
  /** `DescribeStream`, `GetShardIterator` or `GetRecords`. */
  readonly action: string;
  readonly streamArn: string;
  /** `undefined`: the call was about the stream as a whole. */
  readonly shardId: string | undefined;
}

const ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_DYNAMODB_STREAMS";

/**
 * The SDK's error in the words of the port. It keeps name, status and request id: messages may quote what is secret.
 */
export function sourceError(error: unknown, call: FailedCall): MillraceError {
  const { action, streamArn } = call;
  return sourceErrorOf(error, {
    action: `dynamodb:${action}`,
    resource: streamArn,
    place: placeOf(call),
    endpointVariable: ENDPOINT_VARIABLE,
    allowHint: `It takes dynamodb:DescribeStream, dynamodb:GetShardIterator and dynamodb:GetRecords on ${streamArn}.`,
    missingText: missingText(call),
  });
}

function missingText({ streamArn, shardId }: FailedCall): string {
  return shardId === undefined
    ? `Stream not found: ${streamArn}. A table gets a new stream ARN each time its stream is enabled.${localHint(streamArn)}`
    : `The stream ${streamArn} has no shard ${shardId}: it never had, or retention has ended all its records.`;
}

/** DynamoDB Local keeps a database for each region, and its ARNs name a region that nobody creates tables in. */
function localHint(streamArn: string): string {
  return streamArn.includes(":ddblocal:") ? " Start DynamoDB Local with -sharedDb." : "";
}

function placeOf({ streamArn, shardId }: FailedCall): string {
  return shardId === undefined ? streamArn : `${streamArn}, shard ${shardId}`;
}

export function nameOfError(error: unknown): string {
  return awsFaultOf(error).code;
}
