import type { NewEmbeddedQueue, NewEmbeddedStream } from "../../ports/embedded-sources.ts";
import { ControlFault } from "../control-fault.ts";

type Members = Readonly<Record<string, unknown>>;

const STREAM_MEMBERS: readonly string[] = ["name", "shards", "retentionSeconds"];
const QUEUE_MEMBERS: readonly string[] = [
  "name",
  "holdSeconds",
  "delaySeconds",
  "retentionSeconds",
  "deadLetterQueue",
  "maxReceiveCount",
  "contentBasedDeduplication",
];
/** As much as a timer of a store can count in milliseconds: a hundred years. */
const SECONDS_MAX = 3_155_760_000;

/** A stream to make, of a body's members. @throws ControlFault InvalidParameterValueException */
export function readNewStream(members: Members): NewEmbeddedStream {
  refuseStrangers(members, STREAM_MEMBERS);
  const retention = numberOf(members, "retentionSeconds", SECONDS_MAX);
  return {
    name: nameOf(members),
    shards: numberOf(members, "shards", 1_000) ?? 1,
    ...(retention === undefined ? {} : { retentionMs: retention * 1000 }),
  };
}

/** A queue to make, of a body's members. @throws ControlFault InvalidParameterValueException */
export function readNewQueue(members: Members): NewEmbeddedQueue {
  refuseStrangers(members, QUEUE_MEMBERS);
  const hold = numberOf(members, "holdSeconds", 43_200);
  const delay = numberOf(members, "delaySeconds", 900);
  const retention = numberOf(members, "retentionSeconds", SECONDS_MAX);
  const maxReceiveCount = numberOf(members, "maxReceiveCount", 1_000);
  const { deadLetterQueue, contentBasedDeduplication: byContent } = members;
  if (byContent !== undefined && typeof byContent !== "boolean")
    throw invalid("contentBasedDeduplication is to be true or false.");
  if (deadLetterQueue !== undefined && typeof deadLetterQueue !== "string")
    throw invalid("deadLetterQueue is to be the name of a queue.");
  if ((deadLetterQueue === undefined) !== (maxReceiveCount === undefined))
    throw invalid("deadLetterQueue and maxReceiveCount belong together. Give both or neither.");
  return {
    name: nameOf(members),
    ...(hold === undefined ? {} : { holdMs: hold * 1000 }),
    ...(delay === undefined ? {} : { delayMs: delay * 1000 }),
    ...(retention === undefined ? {} : { retentionMs: retention * 1000 }),
    ...(deadLetterQueue === undefined || maxReceiveCount === undefined
      ? {}
      : { redrive: { deadLetterQueue, maxReceiveCount } }),
    ...(byContent === undefined ? {} : { contentBasedDeduplication: byContent }),
  };
}

function refuseStrangers(members: Members, known: readonly string[]): void {
  const stranger = Object.keys(members).find((name) => !known.includes(name));
  if (stranger === undefined) return;
  throw invalid(
    `Nobody knows the member ${JSON.stringify(stranger.slice(0, 60))}. Give ${known.join(", ")}.`,
  );
}

/** The keeper knows which names there can be. */
function nameOf({ name }: Members): string {
  if (typeof name === "string" && name !== "") return name;
  throw invalid("name is to be the name that it gets.");
}

function numberOf(members: Members, name: string, most: number): number | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw invalid(`${name} is to be a whole number from 0 to ${most}.`);
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
