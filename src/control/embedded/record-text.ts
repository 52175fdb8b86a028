import { bytesOfBase64 } from "../../model/base64.ts";
import { memberTexts } from "../../model/exact-json.ts";
import { isJson } from "../../model/json-check.ts";
import type { NewRecord, PutOutcome } from "../../ports/embedded-sources.ts";
import { contentOf, type ReadItem, type ValueRule, valueBy } from "./item-text.ts";

const MEMBERS: readonly string[] = ["key", "data", "dataBase64", "hashKey"];

/** A record whose text is its data. Without a key it gets one of its own: no order with others is wanted. */
export function readPlainRecord(text: string, key: ValueRule, newKey: () => string): ReadItem<NewRecord> {
  const found = valueBy("key", key, text);
  if ("reason" in found) return found;
  return { item: { key: found.text ?? newKey(), data: Buffer.from(text) } };
}

/**
 * A record as `{ "key": "…", "data": … }`: data that is a text is that text, any other JSON stays as it is written;
 * `dataBase64` in its place for bytes. `hashKey` chooses the shard.
 */
export function readRecord(text: string, newKey: () => string): ReadItem<NewRecord> {
  if (!isJson(Buffer.from(text))) return { reason: "It is not JSON." };
  const members = new Map<string, string>();
  for (const member of memberTexts(text)) members.set(member.name, member.text);
  const stranger = [...members.keys()].find((name) => !MEMBERS.includes(name));
  if (stranger !== undefined)
    return { reason: `Nobody knows its member ${JSON.stringify(stranger.slice(0, 40))}. ${FORM}` };
  const [data, base64] = [members.get("data"), members.get("dataBase64")];
  if ((data === undefined) === (base64 === undefined)) return { reason: `It has no data. ${FORM}` };
  const [key, hashKey] = [members.get("key"), members.get("hashKey")];
  for (const [name, member] of Object.entries({ key, hashKey, dataBase64: base64 }))
    if (member !== undefined && !member.startsWith('"')) return { reason: `Its ${name} is not a text.` };
  const bytes = base64 === undefined ? undefined : bytesOfBase64(contentOf(base64));
  if (base64 !== undefined && bytes === undefined) return { reason: "Its dataBase64 is not Base64." };
  const written = data === undefined ? undefined : contentOf(data);
  if (written?.isWellFormed() === false) return { reason: "Its data is not Unicode: give dataBase64." };
  return {
    item: {
      key: key === undefined ? newKey() : contentOf(key),
      data: bytes ?? Buffer.from(written ?? ""),
      ...(hashKey === undefined ? {} : { hashKey: contentOf(hashKey) }),
    },
  };
}

const FORM = 'Write {"key":"…","data":…}, or name the key in the query: ?key=… or ?keyFrom=/….';

/** What became of one record, or message, as callers read it. */
export type OutcomeDocument = Readonly<Record<string, string>>;

export function outcomeDocument(outcome: PutOutcome): OutcomeDocument {
  switch (outcome.kind) {
    case "stored": {
      const { kind: _kind, ...stored } = outcome;
      return stored;
    }
    case "refused":
      return { errorCode: "InvalidParameterValue", errorMessage: outcome.reason };
    case "failed":
      return { errorCode: "ServiceUnavailable", errorMessage: "It was not stored. Try again." };
    case "unknown":
      return {
        errorCode: "OutcomeUnknown",
        errorMessage: "The disk failed: nobody knows whether it is stored. Sent again it may come twice.",
      };
  }
}
