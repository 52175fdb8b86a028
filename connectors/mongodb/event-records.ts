import { elementsOf, memberOf, objectOf, textMember, textOf } from "../../src/model/event-elements.ts";
import { memberText } from "../../src/model/exact-json.ts";
import type { EventRecords } from "../../src/ports/event-records.ts";
import { INVALIDATION } from "./event.ts";
import { comparePositions, tokenPosition } from "./position.ts";

/** Changes of an event (brokers §4.1). */
export const mongoEventRecords: EventRecords = {
  split(event) {
    const text = textOf(event);
    const list = text === undefined ? undefined : memberText(text, "events");
    if (list === undefined) return undefined;
    return elementsOf(list)?.map(({ text: element, value }) => {
      const change = memberOf(value, "event");
      const token = textMember(memberOf(change, "_id"), "_data") ?? "";
      const seconds = memberOf(memberOf(memberOf(change, "clusterTime"), "$timestamp"), "t");
      return {
        shardId: undefined,
        position: tokenPosition(token, memberOf(change, "operationType") === INVALIDATION),
        itemId: token,
        key: keyOf(element),
        arrivalMs: typeof seconds === "number" ? seconds * 1000 : undefined,
        element: Buffer.from(element),
      };
    });
  },
  decode: objectOf,
  comparePositions,
};

/** The text of the document's `_id`, as it stands: a number is not rounded by reading it. */
function keyOf(element: string): string | undefined {
  const change = memberText(element, "event");
  const documentKey = change === undefined ? undefined : memberText(change, "documentKey");
  const id = documentKey === undefined ? undefined : memberText(documentKey, "_id");
  return id?.startsWith('"') ? String(JSON.parse(id)) : id;
}
