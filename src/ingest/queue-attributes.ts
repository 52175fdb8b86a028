import { cloudOf, type Place } from "../model/place.ts";
import type { EmbeddedDepth, EmbeddedQueue, NewEmbeddedQueue } from "../ports/embedded-sources.ts";
import type { ProducerFault } from "./producer-fault.ts";
import { queueFault } from "./queue-fault.ts";
import type { WireMembers } from "./wire-members.ts";

/** What every queue here takes. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
/** What SQS gives a queue that says nothing else, in seconds. */
const HOLD_SECONDS = 30;
const RETENTION_SECONDS = 345_600;

interface Bounds {
  readonly least: number;
  readonly most: number;
}

const HOLD: Bounds = { least: 0, most: 43_200 };
const DELAY: Bounds = { least: 0, most: 900 };
const RETENTION: Bounds = { least: 60, most: 1_209_600 };

/** Attributes that say what is so here anyway; any other value of theirs is refused. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  MaximumMessageSize: [String(MESSAGE_BYTES_MAX)],
  ReceiveMessageWaitTimeSeconds: ["0"],
  DeduplicationScope: ["queue"],
  FifoThroughputLimit: ["perQueue"],
  SqsManagedSseEnabled: ["false"],
};

const OWN: readonly string[] = [
  "DelaySeconds",
  "MessageRetentionPeriod",
  "VisibilityTimeout",
  "RedrivePolicy",
  "FifoQueue",
  "ContentBasedDeduplication",
];

/** A queue to make, of CreateQueue's attributes. @throws ProducerFault */
export function newQueueOf(name: string, attributes: WireMembers | undefined): NewEmbeddedQueue {
  for (const each of attributes?.names ?? []) checkAttribute(each, attributes?.text(each) ?? "");
  const isFifo = readFlag(attributes, "FifoQueue") ?? false;
  checkQueueName(name, isFifo);
  const byContent = readFlag(attributes, "ContentBasedDeduplication");
  if (byContent === true && !isFifo)
    throw queueFault("InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication.");
  const redrive = readRedrive(attributes?.text("RedrivePolicy"));
  return {
    name,
    holdMs: seconds(attributes, "VisibilityTimeout", HOLD_SECONDS, HOLD) * 1000,
    delayMs: seconds(attributes, "DelaySeconds", 0, DELAY) * 1000,
    retentionMs: seconds(attributes, "MessageRetentionPeriod", RETENTION_SECONDS, RETENTION) * 1000,
    ...(redrive === undefined ? {} : { redrive }),
    ...(isFifo ? { contentBasedDeduplication: byContent ?? false } : {}),
  };
}

/** The first attribute that was given and is another; `undefined`: none. */
export function differingAttribute(
  given: WireMembers | undefined,
  queue: EmbeddedQueue,
  place: Place,
): string | undefined {
  const shown = attributesOf(queue, { visible: 0, held: 0, delayed: 0 }, place);
  return given?.names.find((name) => {
    if (name === "RedrivePolicy") {
      const wanted = readRedrive(given.text(name));
      const { deadLetterQueue, maxReceiveCount } = queue.redrive ?? {};
      return wanted?.deadLetterQueue !== deadLetterQueue || wanted?.maxReceiveCount !== maxReceiveCount;
    }
    return (given.text(name) ?? "") !== (shown.get(name) ?? (name === "FifoQueue" ? "false" : ""));
  });
}

/** All attributes of a queue, in SQS's names. */
export function attributesOf(
  queue: EmbeddedQueue,
  depth: EmbeddedDepth,
  place: Place,
): ReadonlyMap<string, string> {
  const { isFifo, createdMs = 0, redrive } = queue;
  const created = String(Math.floor(createdMs / 1000));
  return new Map([
    ["QueueArn", queueArn(queue.name, place)],
    ["ApproximateNumberOfMessages", String(depth.visible)],
    ["ApproximateNumberOfMessagesNotVisible", String(depth.held)],
    ["ApproximateNumberOfMessagesDelayed", String(depth.delayed)],
    ["CreatedTimestamp", created],
    ["LastModifiedTimestamp", created],
    ["VisibilityTimeout", String(Math.round(queue.holdMs / 1000))],
    ["MaximumMessageSize", String(MESSAGE_BYTES_MAX)],
    ["MessageRetentionPeriod", String(Math.ceil((queue.retentionMs ?? RETENTION.most * 1000) / 1000))],
    ["DelaySeconds", String(Math.round(queue.delayMs / 1000))],
    ["ReceiveMessageWaitTimeSeconds", "0"],
    ["SqsManagedSseEnabled", "false"],
    ...(redrive === undefined ? [] : [["RedrivePolicy", redriveText(redrive, place)] as const]),
    ...(isFifo
      ? ([
          ["FifoQueue", "true"],
          ["ContentBasedDeduplication", String(queue.contentBasedDeduplication)],
          ["DeduplicationScope", "queue"],
          ["FifoThroughputLimit", "perQueue"],
        ] as const)
      : []),
  ]);
}

/** Names that GetQueueAttributes knows besides those that a queue has. */
export function isAttributeName(name: string): boolean {
  return [...OWN, ...Object.keys(FIXED), "Policy", "KmsMasterKeyId", "RedriveAllowPolicy"].includes(name);
}

export function queueArn(name: string, { region, account }: Place): string {
  return `arn:${cloudOf(region)}:sqs:${region}:${account}:${name}`;
}

/** @throws ProducerFault InvalidParameterValue */
export function checkQueueName(name: string, isFifo: boolean): void {
  const plain = isFifo ? name.replace(/\.fifo$/, "") : name;
  if (/^[a-zA-Z0-9_-]{1,80}$/.test(plain) && name.length <= 80 && isFifo === name.endsWith(".fifo")) return;
  const message = isFifo
    ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
    : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
  throw queueFault("InvalidParameterValue", message);
}

function checkAttribute(name: string, value: string): void {
  const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
  if (fixed?.includes(value) === true || OWN.includes(name)) return;
  if (fixed !== undefined) {
    const message = `Invalid value for the parameter ${name}. Reason: of queues that millrace keeps it is ${fixed.join(", ")}. Leave it out.`;
    throw queueFault("InvalidAttributeValue", message);
  }
  throw queueFault("InvalidAttributeName", `Unknown Attribute ${name.slice(0, 60)}.`);
}

function readFlag(attributes: WireMembers | undefined, name: string): boolean | undefined {
  const text = attributes?.text(name);
  if (text === undefined) return undefined;
  if (text === "true" || text === "false") return text === "true";
  throw invalidAttribute(name);
}

function seconds(
  attributes: WireMembers | undefined,
  name: string,
  initial: number,
  { least, most }: Bounds,
): number {
  const text = attributes?.text(name);
  if (text === undefined) return initial;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
  throw invalidAttribute(name);
}

/** A queue of the same place; region and account in its ARN are whose the caller thinks it is. */
function readRedrive(text: string | undefined): NewEmbeddedQueue["redrive"] {
  if (text === undefined || text === "") return undefined;
  let policy: { readonly deadLetterTargetArn?: unknown; readonly maxReceiveCount?: unknown };
  try {
    policy = JSON.parse(text);
  } catch {
    throw invalidAttribute("RedrivePolicy");
  }
  const target =
    /^arn:aws[a-z-]*:(?:sqs:[a-z0-9-]*:\d{0,12}:|local:[a-z0-9-]*:\d{0,12}:queue\/)([\w-]{1,80}(?:\.fifo)?)$/;
  const name = target.exec(String(policy?.deadLetterTargetArn))?.[1];
  const count = Number(policy?.maxReceiveCount);
  if (name === undefined || !Number.isSafeInteger(count) || count < 1 || count > 1_000)
    throw invalidAttribute("RedrivePolicy");
  return { deadLetterQueue: name, maxReceiveCount: count };
}

function redriveText(
  { deadLetterQueue, maxReceiveCount }: NonNullable<EmbeddedQueue["redrive"]>,
  place: Place,
) {
  return JSON.stringify({ deadLetterTargetArn: queueArn(deadLetterQueue, place), maxReceiveCount });
}

function invalidAttribute(name: string): ProducerFault {
  return queueFault("InvalidAttributeValue", `Invalid value for the parameter ${name}.`);
}
