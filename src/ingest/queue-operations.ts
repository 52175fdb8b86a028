import { type EmbeddedBook, toldAsFault } from "../control/embedded/embedded-book.ts";
import type { EmbeddedQueue, PutOutcome, QueueKeeper } from "../ports/embedded-sources.ts";
import { entryBytes, type MessageEntry, messageEntry } from "./message-entry.ts";
import type { Operation, ProducerCall } from "./operation.ts";
import { ProducerFault } from "./producer-fault.ts";
import {
  attributesOf,
  differingAttribute,
  isAttributeName,
  MESSAGE_BYTES_MAX,
  newQueueOf,
} from "./queue-attributes.ts";
import { invalidValue, missingParameter, noSuchQueue, queueFault } from "./queue-fault.ts";
import type { WireMembers } from "./wire-members.ts";

const ENTRIES_MAX = 10;
const LISTED_MAX = 1_000;
/** More names than there are attributes. */
const NAMES_MAX = 50;

/** The operations of SQS that producers call. */
export function queueOperations(
  queues: () => EmbeddedBook<QueueKeeper>,
): Readonly<Record<string, Operation>> {
  return {
    CreateQueue: (call) => createQueue(queues(), call),
    GetQueueUrl: (call) => getQueueUrl(queues(), call),
    ListQueues: (call) => listQueues(queues(), call),
    GetQueueAttributes: (call) => getQueueAttributes(queues(), call),
    SendMessage: (call) => sendMessage(queues(), call),
    SendMessageBatch: (call) => sendMessageBatch(queues(), call),
  };
}

async function createQueue(queues: EmbeddedBook<QueueKeeper>, call: ProducerCall) {
  const { members, place } = call;
  const name = queueNameOf(members);
  const tags = members.object("tags")?.names ?? [];
  if (tags.length > 0)
    throw queueFault("InvalidParameterValue", "millrace keeps no tags of queues. Leave tags out.");
  const attributes = members.object("Attributes");
  const wanted = newQueueOf(name, attributes);
  const keeper = await queues.forNew(name);
  const isMade = await toldAsFault(keeper.create(wanted));
  const there = isMade ? undefined : await toldAsFault(keeper.find(name));
  const other = there && differingAttribute(attributes, there, place);
  if (other === undefined) return { QueueUrl: queueUrl(name, call) };
  const message = `A queue already exists with the same name and a different value for attribute ${other}`;
  throw queueFault("QueueNameExists", message);
}

async function getQueueUrl(queues: EmbeddedBook<QueueKeeper>, call: ProducerCall) {
  const name = queueNameOf(call.members);
  if ((await queues.whoHas(name)) === undefined) throw noSuchQueue();
  return { QueueUrl: queueUrl(name, call) };
}

async function listQueues(queues: EmbeddedBook<QueueKeeper>, call: ProducerCall) {
  const { members } = call;
  const prefix = members.text("QueueNamePrefix") ?? "";
  const most = members.integer("MaxResults");
  if (most !== undefined && (most < 1 || most > LISTED_MAX))
    throw invalidValue(most, "MaxResults", `MaxResults must be between 1 and ${LISTED_MAX}.`);
  const after = tokenName(members.text("NextToken"));
  const left = (await queues.all())
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix) && (after === undefined || name > after));
  const page = left.slice(0, most ?? LISTED_MAX);
  const last = page.at(-1);
  // As AWS: who asks for no pages gets no token.
  const isMore = most !== undefined && page.length < left.length && last !== undefined;
  return {
    QueueUrls: page.map((name) => queueUrl(name, call)),
    ...(isMore ? { NextToken: Buffer.from(last).toString("base64url") } : {}),
  };
}

async function getQueueAttributes(queues: EmbeddedBook<QueueKeeper>, call: ProducerCall) {
  const { members, place } = call;
  const { keeper, queue } = await addressedQueue(queues, members);
  const names = members.list("AttributeNames", NAMES_MAX) ?? [];
  const all = attributesOf(queue, await toldAsFault(keeper.depth(queue.name)), place);
  const stranger = names.find((name) => name !== "All" && !all.has(name) && !isAttributeName(name));
  if (stranger !== undefined || names.length > NAMES_MAX)
    throw queueFault("InvalidAttributeName", `Unknown Attribute ${(stranger ?? "").slice(0, 60)}.`);
  const shown = names.includes("All") ? [...all] : [...all].filter(([name]) => names.includes(name));
  return shown.length === 0 ? {} : { Attributes: Object.fromEntries(shown) };
}

async function sendMessage(queues: EmbeddedBook<QueueKeeper>, { members }: ProducerCall) {
  const { keeper, queue } = await addressedQueue(queues, members);
  const entry = messageEntry(members, queue);
  const [outcome] = await toldAsFault(keeper.put(queue.name, [entry.message]));
  if (outcome?.kind === "stored") return sentAnswer(entry, outcome);
  throw notSent(outcome);
}

async function sendMessageBatch(queues: EmbeddedBook<QueueKeeper>, { members }: ProducerCall) {
  const { keeper, queue } = await addressedQueue(queues, members);
  const given = entriesOf(members);
  const read = given.map(({ id, entry }) => ({ id, ...readEntry(entry, queue) }));
  const good = read.flatMap(({ entry }) => (entry === undefined ? [] : [entry.message]));
  const outcomes = await toldAsFault(keeper.put(queue.name, good));
  const successful: object[] = [];
  const failed: object[] = [];
  let next = 0;
  for (const { id, entry, fault } of read) {
    const outcome = entry === undefined ? undefined : outcomes[next++];
    if (entry !== undefined && outcome?.kind === "stored")
      successful.push({ Id: id, ...sentAnswer(entry, outcome) });
    else failed.push(failedEntry(id, fault ?? notSent(outcome)));
  }
  return { Successful: successful, Failed: failed };
}

/** The whole of a batch is looked at first: a fault of it costs all of its messages. */
function entriesOf(members: WireMembers): readonly { readonly id: string; readonly entry: WireMembers }[] {
  const entries = members.objects("Entries", ENTRIES_MAX * 10);
  if (entries === undefined || entries.length === 0) {
    const message = "There should be at least one SendMessageBatchRequestEntry in the request.";
    throw queueFault("EmptyBatchRequest", message);
  }
  if (entries.length > ENTRIES_MAX) {
    const message = `Maximum number of entries per request are ${ENTRIES_MAX}. You have sent ${entries.length}.`;
    throw queueFault("TooManyEntriesInBatchRequest", message);
  }
  const seen = new Set<string>();
  const found = entries.map((entry) => {
    const id = entry.text("Id") ?? "";
    if (!/^[\w-]{1,80}$/.test(id)) {
      const message =
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
      throw queueFault("InvalidBatchEntryId", message);
    }
    if (seen.has(id)) throw queueFault("BatchEntryIdsNotDistinct", `Id ${id} repeated.`);
    seen.add(id);
    return { id, entry };
  });
  const bytes = found.reduce((sum, { entry }) => sum + entryBytes(entry), 0);
  if (bytes > MESSAGE_BYTES_MAX) {
    const message = `Batch requests cannot be longer than ${MESSAGE_BYTES_MAX} bytes. You have sent ${bytes} bytes.`;
    throw queueFault("BatchRequestTooLong", message);
  }
  return found;
}

function readEntry(
  members: WireMembers,
  queue: EmbeddedQueue,
): { readonly entry?: MessageEntry; readonly fault?: ProducerFault } {
  try {
    return { entry: messageEntry(members, queue) };
  } catch (error) {
    if (error instanceof ProducerFault) return { fault: error };
    throw error;
  }
}

function sentAnswer(
  { digests }: MessageEntry,
  { messageId, sequenceNumber }: PutOutcome & { kind: "stored" },
) {
  return {
    MessageId: messageId,
    ...digests,
    ...(sequenceNumber === undefined ? {} : { SequenceNumber: sequenceNumber }),
  };
}

function notSent(outcome: PutOutcome | undefined): ProducerFault {
  switch (outcome?.kind) {
    case "refused":
      return queueFault("InvalidParameterValue", outcome.reason);
    case "failed":
      return new ProducerFault("ServiceUnavailable", "The message was not stored. Try again.", {
        status: 503,
      });
    default:
      return new ProducerFault("InternalFailure", "The request processing has failed.", { status: 500 });
  }
}

function failedEntry(id: string, { type, queryCode, message, status }: ProducerFault): object {
  return { Id: id, SenderFault: status < 500, Code: queryCode ?? type, Message: message };
}

async function addressedQueue(queues: EmbeddedBook<QueueKeeper>, members: WireMembers) {
  const name = nameInUrl(members.text("QueueUrl"));
  const keeper = await queues.whoHas(name);
  const queue = await (keeper && toldAsFault(keeper.find(name)));
  if (keeper === undefined || queue === undefined) throw noSuchQueue();
  return { keeper, queue };
}

/** Host and account are whose the caller thinks the queue is: a producer keeps the address that it was given. */
function nameInUrl(url: string | undefined): string {
  if (url === undefined || url === "") throw missingParameter("QueueUrl");
  const name = /\/([^/]{1,80})\/?$/.exec(URL.canParse(url) ? new URL(url).pathname : `/${url}`)?.[1];
  if (name === undefined) throw noSuchQueue();
  return name;
}

function queueNameOf(members: WireMembers): string {
  const name = members.text("QueueName");
  if (name === undefined || name === "") throw missingParameter("QueueName");
  return name;
}

function tokenName(token: string | undefined): string | undefined {
  return token === undefined ? undefined : Buffer.from(token, "base64url").toString();
}

function queueUrl(name: string, { origin, place }: ProducerCall): string {
  return `${origin}/${place.account}/${name}`;
}
