import { elementTexts, memberText, memberTexts } from "./exact-json.ts";
import { isJson } from "./json-check.ts";

/** Records of events as EventBridge Pipes have them (queues §3): each a flat object of its own. */

/** Elements of the list `Records`, as they stand there. */
export function pipedElements(event: Uint8Array): readonly string[] | undefined {
  const text = isJson(event) ? new TextDecoder().decode(event) : undefined;
  const records = text && memberText(text, "Records");
  return records === undefined || records === "" ? undefined : [...elementTexts(records)];
}

/** With the members of one of their own members beside the others. */
export function flattened(record: string, nested: string): string {
  const members = [...memberTexts(record)];
  const inner = members.find(({ name }) => name === nested);
  const own = members.filter(({ name }) => name !== nested);
  const all = [...(inner === undefined ? [] : memberTexts(inner.text)), ...own];
  return objectText(all);
}

export function objectText(members: Iterable<{ readonly name: string; readonly text: string }>): string {
  const texts = Array.from(members, ({ name, text }) => `${JSON.stringify(name)}:${text}`);
  return `{${texts.join(",")}}`;
}
