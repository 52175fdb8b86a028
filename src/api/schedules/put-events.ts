import { ControlFault } from "../../control/control-fault.ts";
import type { EventBus, GivenEvent } from "../../control/schedules/event-bus.ts";
import { describeError, MillraceError } from "../../model/errors.ts";
import { JSON_DEPTH_MAX, parseExactJson } from "../../model/exact-json.ts";
import { nestsDeeper } from "../../model/json-scan.ts";
import { busOf } from "./event-bus-name.ts";

type Body = Readonly<Record<string, unknown>>;

const ENTRIES_MAX = 10;
const BYTES_MAX = 1024 * 1024;
/** What AWS counts a time of an entry as. */
const TIME_BYTES = 14;
/** The end of the year 9999: beyond it no calendar's text has four digits of a year. */
const TIME_MS_MAX = 253_402_300_799_999;

/** Each entry is put by itself, and answered by itself, in their order. @throws ControlFault */
export async function putEvents(body: Body, bus: EventBus): Promise<Body> {
  const given: readonly unknown[] = Array.isArray(body["Entries"]) ? body["Entries"] : [];
  const entries = given.map(
    (entry): Body => (typeof entry === "object" && entry !== null ? { ...entry } : {}),
  );
  if (entries.length === 0) throw lengthFault("greater than or equal to 1");
  if (entries.length > ENTRIES_MAX) throw lengthFault(`less than or equal to ${ENTRIES_MAX}`);
  if (entries.reduce((sum, entry) => sum + bytesOf(entry), 0) > BYTES_MAX)
    throw new ControlFault(
      "ValidationException",
      "Total size of the entries in the request is over the limit.",
    );
  const answers: Body[] = [];
  for (const entry of entries) answers.push(await putEntry(entry, bus));
  return { FailedEntryCount: answers.filter((answer) => "ErrorCode" in answer).length, Entries: answers };
}

function lengthFault(bound: string): ControlFault {
  const message = `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`;
  return new ControlFault("ValidationException", message);
}

async function putEntry(entry: Body, bus: EventBus): Promise<Body> {
  const read = readEntry(entry);
  if ("ErrorCode" in read) return read;
  try {
    const id = await bus.put(read);
    if (id !== "full") return { EventId: id };
    return error("ThrottlingException", "The queue of asynchronous events is full. Try again.");
  } catch (cause) {
    if (cause instanceof ControlFault) return error("InvalidArgument", cause.message);
    if (!(cause instanceof MillraceError)) throw cause;
    return error("InternalFailure", describeError(cause));
  }
}

function readEntry(entry: Body): GivenEvent | { readonly ErrorCode: string; readonly ErrorMessage: string } {
  const { Source, DetailType, Detail, Resources, EventBusName, Time } = entry;
  if (!isText(Source)) return missing("Source");
  if (!isText(DetailType)) return missing("DetailType");
  if (!isText(Detail)) return missing("Detail");
  const detail = parseObject(Detail);
  if (detail === undefined) return error("MalformedDetail", "Detail is malformed.");
  if (Source.startsWith("aws."))
    return error("NotAuthorizedForSourceException", "Not authorized for the source.");
  return {
    bus: busOf(EventBusName),
    source: Source,
    detailType: DetailType,
    detail,
    resources: Array.isArray(Resources) ? Resources.map(String) : [],
    timeMs: timeOf(Time),
  };
}

function parseObject(text: string): object | undefined {
  // What is nested deeper cannot be written again.
  if (nestsDeeper(text, JSON_DEPTH_MAX)) return undefined;
  try {
    const value = parseExactJson(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds since 1970, as AWS's clients write them, or a text. */
function timeOf(value: unknown): number | undefined {
  const timeMs =
    typeof value === "number" ? value * 1000 : typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Math.abs(timeMs) <= TIME_MS_MAX ? timeMs : undefined;
}

function bytesOf({ Time, Source, DetailType, Detail, Resources }: Body): number {
  const texts = [Source, DetailType, Detail, ...(Array.isArray(Resources) ? Resources : [])];
  const bytes = texts.reduce<number>((sum, text) => sum + (isText(text) ? Buffer.byteLength(text) : 0), 0);
  return bytes + (Time === undefined ? 0 : TIME_BYTES);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function missing(member: string) {
  return error(
    "InvalidArgument",
    `Parameter ${member} is not valid. Reason: ${member} is a required argument.`,
  );
}

function error(ErrorCode: string, ErrorMessage: string) {
  return { ErrorCode, ErrorMessage };
}
