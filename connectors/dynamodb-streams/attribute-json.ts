import type { AttributeValue } from "@aws-sdk/client-dynamodb-streams";
import { quoteJson } from "../../src/model/json-bytes.ts";

export type AttributeMap = Readonly<Record<string, AttributeValue>>;

/** `{"name":{"S":"…"},…}`: DynamoDB's own JSON, as Lambda's events carry it; binary values in base64 (streams §6). */
export function attributeMapJson(attributes: AttributeMap): string {
  let text = "";
  for (const [name, value] of Object.entries(attributes)) {
    // The SDK loses the value of an attribute called `__proto__` (its JSON codec overwrites it before reading it).
    if (value === undefined) continue;
    text += `${text === "" ? "" : ","}${quoteJson(name)}:${attributeJson(value)}`;
  }
  return `{${text}}`;
}

/** DynamoDB nests values at most 32 deep, which bounds the recursion. */
function attributeJson(value: AttributeValue): string {
  if (value.S !== undefined) return `{"S":${quoteJson(value.S)}}`;
  if (value.N !== undefined) return `{"N":${quoteJson(value.N)}}`;
  if (value.B !== undefined) return `{"B":${base64Json(value.B)}}`;
  if (value.BOOL !== undefined) return `{"BOOL":${value.BOOL}}`;
  if (value.NULL !== undefined) return `{"NULL":${value.NULL}}`;
  if (value.M !== undefined) return `{"M":${attributeMapJson(value.M)}}`;
  if (value.L !== undefined) return `{"L":${listJson(value.L, attributeJson)}}`;
  if (value.SS !== undefined) return `{"SS":${listJson(value.SS, quoteJson)}}`;
  if (value.NS !== undefined) return `{"NS":${listJson(value.NS, quoteJson)}}`;
  if (value.BS !== undefined) return `{"BS":${listJson(value.BS, base64Json)}}`;
  // A type that DynamoDB has got since: handed on as the SDK gives it.
  const [type, content] = value.$unknown;
  return JSON.stringify({ [type]: content });
}

function listJson<T>(items: readonly T[], itemJson: (item: T) => string): string {
  return `[${items.map(itemJson).join(",")}]`;
}

function base64Json(bytes: Uint8Array): string {
  return `"${base64(bytes)}"`;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
