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

const MESSAGES = "rmqMessagesByQueue";

/** Messages of queues in an event (brokers §2.1). They have no position of their own: it is the place in the event. */
export const rabbitEventRecords: EventRecords = {
  split(event) {
    const text = textOf(event);
    const places = text === undefined ? undefined : memberText(text, MESSAGES);
    if (places === undefined) return undefined;
    const records: EventRecord[] = [];
    for (const { text: list } of memberTexts(places)) {
      for (const { text: element, value } of elementsOf(list) ?? []) {
        const position = String(records.length);
        records.push({
          shardId: undefined,
          position,
          itemId: textMember(memberOf(value, "basicProperties"), "messageId") ?? position,
          key: undefined,
          arrivalMs: undefined,
          element: Buffer.from(element),
        });
      }
    }
    return records;
  },
  decode(element) {
    const message = objectOf(element);
    const data = textMember(message, "data");
    return data === undefined ? message : { ...message, data: inClear(data) };
  },
  comparePositions: (a, b) => Math.sign(Number(a) - Number(b)),
};

/** Each message with its source and, as `eventSourceKey`, its queue and virtual host (queues §3). */
export const rabbitPipeRecords: PipeRecords = {
  data: { data: "base64" },
  split(event) {
    const text = textOf(event);
    const places = text === undefined ? undefined : memberText(text, MESSAGES);
    if (text === undefined || places === undefined) return undefined;
    const shared = [...memberTexts(text)].filter(({ name }) => name !== MESSAGES);
    return [...memberTexts(places)].flatMap(({ name, text: list }) => {
      const ofPlace = [...shared, { name: "eventSourceKey", text: JSON.stringify(name) }];
      return [...elementTexts(list)].map((message) => objectText([...ofPlace, ...memberTexts(message)]));
    });
  },
};
