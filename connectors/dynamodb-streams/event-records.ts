import { memberOf, objectOf, recordsOf, textMember } from "../../src/model/event-elements.ts";
import { pipedElements } from "../../src/model/pipe-elements.ts";
import type { EventRecords } from "../../src/ports/event-records.ts";
import type { PipeRecords } from "../../src/ports/pipe-records.ts";
import { comparePositions } from "./position.ts";

/** Records of a table's stream in an event (streams §6). */
export const dynamodbEventRecords: EventRecords = {
  split(event) {
    return recordsOf(event)?.map(({ text, value }) => {
      const change = memberOf(value, "dynamodb");
      const position = textMember(change, "SequenceNumber") ?? "";
      const seconds = Number(memberOf(change, "ApproximateCreationDateTime"));
      return {
        shardId: undefined,
        position,
        itemId: position,
        key: keyOf(memberOf(change, "Keys")),
        arrivalMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
        element: Buffer.from(text),
      };
    });
  },
  decode: objectOf,
  comparePositions,
};

/**
 * The value of a key of one attribute. Of two, an event does not tell which is the table's partition key: both together
 * keep versions of an item in order.
 */
function keyOf(keys: unknown): string | undefined {
  if (typeof keys !== "object" || keys === null) return undefined;
  const values: readonly unknown[] = Object.values(keys);
  const [only, second] = values;
  if (second !== undefined || only === undefined) return JSON.stringify(keys);
  return textMember(only, "S") ?? textMember(only, "N") ?? textMember(only, "B") ?? JSON.stringify(keys);
}

/** As EventBridge Pipes hands changes of tables on. */
export const dynamodbPipeRecords: PipeRecords = { data: {}, split: pipedElements };
