import { elementTexts, memberTexts } from "../../src/model/exact-json.ts";
import type { Change, ChangeRecord } from "./stream-api.ts";

/**
 * The records of an answer of GetRecords, and the answer without them. They are read in the SDK's place, which loses
 * attributes called `__proto__`, and fails for a whole page when one member of one record is not what it expects. Items
 * are handed on as DynamoDB wrote them, byte for byte: the event has the same form.
 *
 * @throws SyntaxError when it is no JSON.
 */
export function parseRecords(text: string): {
  readonly records: readonly ChangeRecord[];
  readonly rest: string;
} {
  // The texts of members are cut out of valid JSON only.
  JSON.parse(text);
  const records: ChangeRecord[] = [];
  const rest: string[] = [];
  for (const member of memberTexts(text)) {
    if (member.name !== "Records") rest.push(`${JSON.stringify(member.name)}:${member.text}`);
    else for (const element of elementTexts(member.text)) records.push(parseRecord(element));
  }
  return { records, rest: `{${rest.join(",")}}` };
}

/** A member of another type than DynamoDB's is left out: the record is delivered with the rest. */
function parseRecord(text: string): ChangeRecord {
  const members = membersOf(text);
  const identity = members.get("userIdentity");
  const change = members.get("dynamodb");
  return {
    eventID: textOf(members.get("eventID")),
    eventName: textOf(members.get("eventName")),
    userIdentity: identity?.startsWith("{") ? parseIdentity(identity) : undefined,
    dynamodb: change?.startsWith("{") ? parseChange(change) : undefined,
  };
}

function parseChange(text: string): Change {
  const members = membersOf(text);
  return {
    ApproximateCreationDateTime: dateOf(members.get("ApproximateCreationDateTime")),
    Keys: members.get("Keys"),
    // plant: attributes-called-proto-are-lost
    NewImage: members.get("NewImage"),
    OldImage: members.get("OldImage"),
    SequenceNumber: textOf(members.get("SequenceNumber")),
    SizeBytes: numberOf(members.get("SizeBytes")),
    StreamViewType: textOf(members.get("StreamViewType")),
  };
}

function parseIdentity(text: string): ChangeRecord["userIdentity"] {
  const members = membersOf(text);
  return { PrincipalId: textOf(members.get("PrincipalId")), Type: textOf(members.get("Type")) };
}

/** What is null counts as absent, as everywhere in AWS's JSON. */
function membersOf(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const { name, text: value } of memberTexts(text)) if (value !== "null") members.set(name, value);
  return members;
}

function textOf(json: string | undefined): string | undefined {
  return json?.startsWith('"') ? String(JSON.parse(json)) : undefined;
}

function numberOf(json: string | undefined): number | undefined {
  const value: unknown = json === undefined ? undefined : JSON.parse(json);
  return typeof value === "number" ? value : undefined;
}

/** A time beyond any date is none. */
function dateOf(json: string | undefined): Date | undefined {
  const seconds = numberOf(json);
  const date = seconds === undefined ? undefined : new Date(seconds * 1000);
  // plant: one-records-odd-time-fails-its-page
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}
