import type { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { memberOf } from "../../src/aws/fault.ts";
import { elementTexts, memberTexts } from "../../src/model/exact-json.ts";
import type { Change, ChangeRecord } from "./stream-api.ts";

/** A page is 1 MB of items at most; each character of them may be written as six. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;
const COMMAND = "GetRecordsCommand";

/**
 * Reads the records of GetRecords in the SDK's place, which loses attributes called `__proto__`, and fails for a whole
 * page when one member of one record is not what it expects. Items are handed on as DynamoDB wrote them, byte for byte:
 * the event has the same form. The SDK gets the rest of the answer.
 *
 * Returns how to get the records of an output.
 */
export function readRawRecords(client: DynamoDBStreamsClient): (output: object) => readonly ChangeRecord[] {
  const ofResponse = new WeakMap<object, readonly ChangeRecord[]>();
  const ofOutput = new WeakMap<object, readonly ChangeRecord[]>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (context.commandName !== COMMAND || memberOf(response, "statusCode") !== 200) return result;
      const { records, rest } = parseRecords(await readText(memberOf(response, "body")));
      Object.assign(response as object, { body: Buffer.from(rest) });
      ofResponse.set(response as object, records);
      return result;
    },
    { step: "deserialize", name: "millraceRawRecords", priority: "low" },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const records = ofResponse.get(result.response as object);
      if (records !== undefined && result.output !== undefined) ofOutput.set(result.output, records);
      return result;
    },
    { step: "deserialize", name: "millraceRawOutput", priority: "high" },
  );
  return (output) => ofOutput.get(output) ?? [];
}

/** The records, and the answer without them. @throws SyntaxError when it is no JSON. */
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

async function readText(body: unknown): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > RESPONSE_BYTES_MAX) {
      const text = `The response is larger than ${RESPONSE_BYTES_MAX} bytes.`;
      throw Object.assign(new Error(text), { name: "ResponseTooLarge" });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
