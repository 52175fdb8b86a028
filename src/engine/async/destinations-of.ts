import {
  type AsyncPolicy,
  DESTINATION_LANE,
  FUNCTION_LANE,
  type NewAsyncItem,
  newAttemptState,
} from "../../model/async-item.ts";
import type { EnvelopeMessage } from "../../model/envelope.ts";
import { isoTime } from "../../model/failure-record.ts";
import type { InvokeConfig } from "../../model/invoke-config.ts";
import { ASYNC_PAYLOAD_BYTES_MAX } from "../../model/limits.ts";
import { type Lineage, withLineage } from "../../model/lineage.ts";
import type { AsyncDestinations } from "../../ports/async-destinations.ts";
import type { Random } from "../../ports/random.ts";
import { type Delivery, writeDelivery } from "./delivery-item.ts";
import { deadLetterAttributes, jsonText, type OutcomeRecord, outcomeText } from "./outcome-record.ts";

/** An event that came to its end, and where that is told. */
export interface EndedEvent {
  readonly record: OutcomeRecord;
  readonly functionName: string;
  readonly isSuccess: boolean;
  readonly config: InvokeConfig;
  readonly deadLetter: string | undefined;
  readonly policy: AsyncPolicy | undefined;
  /** The chain behind this function. */
  readonly lineage: Lineage | undefined;
  readonly traceHeader: string | undefined;
}

export interface EndingPlaces {
  readonly destinations: AsyncDestinations;
  readonly random: Random;
  /** The largest body that the queue keeps. */
  readonly bodyBytesMax: number;
  readonly nowMs: number;
}

/** Records of this size keep a form without their payloads beside them, for who takes none so large. */
const SMALLER_FROM_BYTES = 200 * 1024;

/** What comes of the end of an event: an item for each of its routes, none where it has none. */
export function itemsOfEnding(ended: EndedEvent, places: EndingPlaces): readonly NewAsyncItem[] {
  const { isSuccess, config, deadLetter, policy } = ended;
  if (isSuccess) return routed(config.onSuccess, "success", ended, places);
  // plant: with-an-on-failure-destination-the-dead-letter-queue-gets-nothing
  const deadLetters = [...new Set([deadLetter, policy?.deadLetterTarget])];
  return [
    ...routed(config.onFailure, "failure", ended, places),
    ...deadLetters.flatMap((target, index) => deadLettered(target, index, ended, places)),
  ];
}

function routed(
  uri: string | undefined,
  what: "success" | "failure",
  ended: EndedEvent,
  { destinations, random, nowMs, bodyBytesMax }: EndingPlaces,
): readonly NewAsyncItem[] {
  if (uri === undefined || uri === "") return [];
  const { record, functionName, isSuccess, lineage } = ended;
  const eventBytesMax = Math.min(ASYNC_PAYLOAD_BYTES_MAX, bodyBytesMax);
  const route = destinations.routeOf(uri);
  const text = outcomeText(record, "whole");
  switch (route.kind) {
    case "function": {
      const body = new TextEncoder().encode(text);
      const fits = body.length <= eventBytesMax;
      return [
        {
          id: random.uuid(),
          kind: "invoke",
          lane: FUNCTION_LANE + route.name,
          qualifier: route.qualifier,
          body: fits ? body : new TextEncoder().encode(outcomeText(record, "metadata")),
          state: { ...newAttemptState(nowMs), lineage },
          visibleInMs: 0,
        },
      ];
    }
    case "bus": {
      const detailType = `Lambda Function Invocation Result - ${isSuccess ? "Success" : "Failure"}`;
      const entry = { source: "lambda", detailType, resources: [uri, record.functionArn], lineage };
      const items = route.itemsOf({ ...entry, detail: text });
      if (items.every(({ body }) => body.length <= eventBytesMax)) return items;
      return route.itemsOf({ ...entry, detail: outcomeText(record, "metadata") });
    }
    case "delivery": {
      const smaller = text.length < SMALLER_FROM_BYTES ? undefined : outcomeText(record, "metadata");
      const message = { text, smaller, attributes: {}, traceHeader: headerOf(ended) };
      const delivery = { kind: "record" as const, name: nameOf(functionName, nowMs) };
      const itemWith = (said: EnvelopeMessage) =>
        deliveryItem(
          uri,
          `${record.requestId}/${what}`,
          { ...partsOf(ended), ...delivery, message: said },
          nowMs,
        );
      const item = itemWith(message);
      if (smaller === undefined || item.body.length <= bodyBytesMax) return [item];
      return [itemWith({ ...message, text: smaller, smaller: undefined })];
    }
  }
}

function deadLettered(
  uri: string | undefined,
  index: number,
  ended: EndedEvent,
  { nowMs }: EndingPlaces,
): readonly NewAsyncItem[] {
  if (uri === undefined || uri === "") return [];
  const { record, functionName } = ended;
  const { requestId, requestPayload, response } = record;
  const message = {
    text: jsonText(requestPayload),
    attributes: deadLetterAttributes(requestId, response),
    traceHeader: headerOf(ended),
  };
  const delivery = { kind: "deadLetter" as const, name: nameOf(functionName, nowMs), message };
  const id = `${requestId}/deadLetter${index === 0 ? "" : index}`;
  return [deliveryItem(uri, id, { ...partsOf(ended), ...delivery }, nowMs)];
}

function partsOf({ functionName, record }: EndedEvent) {
  return { functionName, requestId: record.requestId };
}

function deliveryItem(uri: string, id: string, delivery: Delivery, nowMs: number): NewAsyncItem {
  return {
    id,
    kind: "deliver",
    lane: DESTINATION_LANE + uri,
    qualifier: "",
    body: writeDelivery(delivery),
    state: newAttemptState(nowMs),
    visibleInMs: 0,
  };
}

function headerOf({ traceHeader, lineage }: EndedEvent): string | undefined {
  return traceHeader === undefined ? undefined : withLineage(traceHeader, lineage);
}

/**
 * AWS's key without the UUID that ends it: `aws/lambda/async/FUNCTION/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS` (invocation
 * §9.3).
 */
function nameOf(functionName: string, nowMs: number): string {
  const time = isoTime(nowMs).slice(0, 19);
  const day = time.slice(0, 10).replaceAll("-", "/");
  return `aws/lambda/async/${functionName}/${day}/${time.replaceAll(":", ".")}`;
}
