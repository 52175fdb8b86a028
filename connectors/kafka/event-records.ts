import {
  elementsOf,
  inClear,
  memberOf,
  objectOf,
  textMember,
  textOf,
} from "../../src/model/event-elements.ts";
import { elementTexts, memberText, memberTexts } from "../../src/model/exact-json.ts";
import { objectText } from "../../src/model/pipe-elements.ts";
import type { EventRecord, EventRecords } from "../../src/ports/event-records.ts";
import type { PipeRecords } from "../../src/ports/pipe-records.ts";
import { comparePositions } from "./position.ts";

/** Records of partitions in an event (kafka §3). */
export const kafkaEventRecords: EventRecords = {
  split(event) {
    const text = textOf(event);
    const places = text === undefined ? undefined : memberText(text, "records");
    if (places === undefined) return undefined;
    const records: EventRecord[] = [];
    for (const { name: shardId, text: list } of memberTexts(places)) {
      for (const { text: element, value } of elementsOf(list) ?? []) {
        const position = String(memberOf(value, "offset"));
        const key = textMember(value, "key");
        const timestamp = memberOf(value, "timestamp");
        records.push({
          shardId,
          position,
          itemId: position,
          key: key === undefined ? undefined : Buffer.from(key, "base64").toString("latin1"),
          arrivalMs: typeof timestamp === "number" && timestamp >= 0 ? timestamp : undefined,
          element: Buffer.from(element),
        });
      }
    }
    return records;
  },
  decode(element) {
    const record = objectOf(element);
    if (record === undefined) return undefined;
    const [key, value] = [textMember(record, "key"), textMember(record, "value")];
    return {
      ...record,
      ...(key === undefined ? {} : { key: inClear(key) }),
      ...(value === undefined ? {} : { value: inClear(value) }),
    };
  },
  comparePositions,
  keyOf: (text) => Buffer.from(text).toString("latin1"),
};

/** As EventBridge Pipes hands records of topics on: each with what the event says of all of them. */
export const kafkaPipeRecords: PipeRecords = {
  data: { key: "base64", value: "base64" },
  split(event) {
    const text = textOf(event);
    const places = text === undefined ? undefined : memberText(text, "records");
    if (text === undefined || places === undefined) return undefined;
    const shared = [...memberTexts(text)].filter(({ name }) => name !== "records");
    return [...memberTexts(places)].flatMap(({ name, text: list }) => {
      const ofPlace = [...shared, { name: "eventSourceKey", text: JSON.stringify(name) }];
      return [...elementTexts(list)].map((record) => objectText([...ofPlace, ...memberTexts(record)]));
    });
  },
};
