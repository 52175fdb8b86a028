import { inClear, isObject, memberOf, objectOf, recordsOf, textMember } from "./event-elements.ts";
import { flattened, pipedElements } from "./pipe-elements.ts";
import type { Position } from "./record.ts";

/** One record of a Kinesis event, as `EventRecord` has it. */
interface KinesisEventRecord {
  readonly shardId: string | undefined;
  readonly position: Position;
  readonly itemId: string;
  readonly key: string | undefined;
  readonly arrivalMs: number | undefined;
  readonly element: Uint8Array;
}

/** Takes a Kinesis event apart (streams §6), of whichever source functions see as Kinesis's. */
export function splitKinesisEvent(event: Uint8Array): readonly KinesisEventRecord[] | undefined {
  return recordsOf(event)?.map(({ text, value }) => {
    const record = memberOf(value, "kinesis");
    const position = textMember(record, "sequenceNumber") ?? "";
    const seconds = Number(memberOf(record, "approximateArrivalTimestamp"));
    return {
      shardId: textMember(value, "eventID")?.split(":")[0],
      position,
      itemId: position,
      key: textMember(record, "partitionKey"),
      arrivalMs: Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined,
      element: Buffer.from(text),
    };
  });
}

/** With its data in clear. */
export function decodeKinesisElement(element: Uint8Array): unknown {
  const record = objectOf(element);
  const kinesis = memberOf(record, "kinesis");
  if (!isObject(kinesis)) return record;
  const data = textMember(kinesis, "data");
  return data === undefined ? record : { ...record, kinesis: { ...kinesis, data: inClear(data) } };
}

/** As EventBridge Pipes hands Kinesis's records on. */
export const KINESIS_PIPE_RECORDS = {
  data: { data: "base64" },
  split: (event: Uint8Array) => pipedElements(event)?.map((record) => flattened(record, "kinesis")),
} as const;
