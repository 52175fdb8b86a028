import { memberTexts } from "../../model/exact-json.ts";
import { isJson } from "../../model/json-check.ts";
import type { NewMessageAttribute, NewQueueMessage } from "../../ports/embedded-sources.ts";
import { contentOf, type ReadItem, type ValueRule, valueBy } from "./item-text.ts";

const MEMBERS: readonly string[] = ["body", "group", "dedup", "delaySeconds", "attributes", "traceHeader"];

/** Where parts of messages come from whose texts are their bodies. */
export interface MessageRules {
  readonly group: ValueRule;
  readonly dedup: ValueRule;
  readonly delaySeconds?: number | undefined;
}

/** A message whose text is its body. */
export function readPlainMessage(text: string, rules: MessageRules): ReadItem<NewQueueMessage> {
  const group = valueBy("group", rules.group, text);
  if ("reason" in group) return group;
  const dedup = valueBy("deduplication id", rules.dedup, text);
  if ("reason" in dedup) return dedup;
  return { item: messageOf(text, group.text, dedup.text, rules.delaySeconds) };
}

/**
 * A message as `{ "body": … }`: a body that is a text is that text, any other JSON stays as it is written. `group` and
 * `dedup` are for queues with order.
 */
export function readMessage(text: string): ReadItem<NewQueueMessage> {
  if (!isJson(Buffer.from(text))) return { reason: "It is not JSON." };
  const members = new Map<string, string>();
  for (const member of memberTexts(text)) members.set(member.name, member.text);
  const stranger = [...members.keys()].find((name) => !MEMBERS.includes(name));
  if (stranger !== undefined)
    return { reason: `Nobody knows its member ${JSON.stringify(stranger.slice(0, 40))}. ${FORM}` };
  const body = members.get("body");
  if (body === undefined) return { reason: `It has no body. ${FORM}` };
  const texts = new Map<string, string>();
  for (const name of ["group", "dedup", "traceHeader"]) {
    const member = members.get(name);
    if (member === undefined) continue;
    if (!member.startsWith('"')) return { reason: `Its ${name} is not a text.` };
    texts.set(name, contentOf(member));
  }
  const delay = members.get("delaySeconds");
  if (delay !== undefined && !/^\d{1,3}$/.test(delay))
    return { reason: "Its delaySeconds is not a whole number from 0 to 900." };
  const attributes = readAttributes(members.get("attributes"));
  if ("reason" in attributes) return attributes;
  const traceHeader = texts.get("traceHeader");
  const message = messageOf(
    contentOf(body),
    texts.get("group"),
    texts.get("dedup"),
    delay === undefined ? undefined : Number(delay),
  );
  return {
    item: { ...message, ...attributes, ...(traceHeader === undefined ? {} : { traceHeader }) },
  };
}

const FORM = 'Write {"body":…}, for a queue with order {"group":"…","body":…}.';

function messageOf(
  body: string,
  groupId: string | undefined,
  deduplicationId: string | undefined,
  delaySeconds: number | undefined,
): NewQueueMessage {
  return {
    body,
    ...(groupId === undefined ? {} : { groupId }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
    ...(delaySeconds === undefined ? {} : { delayMs: delaySeconds * 1000 }),
  };
}

/** By name: a text, or a number, which keeps its digits. */
function readAttributes(
  json: string | undefined,
): { readonly attributes?: Readonly<Record<string, NewMessageAttribute>> } | { readonly reason: string } {
  if (json === undefined) return {};
  if (!json.startsWith("{")) return { reason: "Its attributes are not an object of names and values." };
  const attributes = new Map<string, NewMessageAttribute>();
  for (const { name, text } of memberTexts(json)) {
    const dataType = text.startsWith('"') ? "String" : /^-?\d/.test(text) ? "Number" : undefined;
    if (dataType === undefined)
      return { reason: `Its attribute ${JSON.stringify(name.slice(0, 40))} is neither a text nor a number.` };
    attributes.set(name, { dataType, stringValue: contentOf(text) });
  }
  return { attributes: Object.fromEntries(attributes) };
}
