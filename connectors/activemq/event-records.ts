import { elementsOf, inClear, objectOf, textMember, textOf } from "../../src/model/event-elements.ts";
import { elementTexts, memberText, memberTexts } from "../../src/model/exact-json.ts";
import { objectText } from "../../src/model/pipe-elements.ts";
import type { EventRecords } from "../../src/ports/event-records.ts";
import type { PipeRecords } from "../../src/ports/pipe-records.ts";

const MESSAGES = "messages";

/** Messages of an event (brokers §3.1). They have no position of their own: it is the place in the event. */
export const activemqEventRecords: EventRecords = {
  split(event) {
    const text = textOf(event);
    const list = text === undefined ? undefined : memberText(text, MESSAGES);
    if (list === undefined) return undefined;
    return elementsOf(list)?.map(({ text: element, value }, index) => ({
      shardId: undefined,
      position: String(index),
      itemId: textMember(value, "messageID") ?? String(index),
      key: undefined,
      arrivalMs: undefined,
      element: Buffer.from(element),
    }));
  },
  decode(element) {
    const message = objectOf(element);
    const data = textMember(message, "data");
    return data === undefined ? message : { ...message, data: inClear(data) };
  },
  comparePositions: (a, b) => Math.sign(Number(a) - Number(b)),
};

/** Each message with its source (queues §3). */
export const activemqPipeRecords: PipeRecords = {
  data: { data: "base64" },
  split(event) {
    const text = textOf(event);
    const list = text === undefined ? undefined : memberText(text, MESSAGES);
    if (text === undefined || list === undefined) return undefined;
    const shared = [...memberTexts(text)].filter(({ name }) => name !== MESSAGES);
    return [...elementTexts(list)].map((message) => objectText([...shared, ...memberTexts(message)]));
  },
};
