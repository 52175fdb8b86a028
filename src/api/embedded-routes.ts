import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import { type EmbeddedBooks, toldAsFault } from "../control/embedded/embedded-book.ts";
import { ruleProblem, type ValueRule } from "../control/embedded/item-text.ts";
import { readMessage, readPlainMessage } from "../control/embedded/message-text.ts";
import { readNewQueue, readNewStream } from "../control/embedded/new-source.ts";
import { putRead } from "../control/embedded/put-read.ts";
import { outcomeDocument, readPlainRecord, readRecord } from "../control/embedded/record-text.ts";
import {
  messageDocument,
  queueDocument,
  recordDocument,
  streamDocument,
} from "../control/embedded/source-document.ts";
import type { PutOutcome, QueueKeeper } from "../ports/embedded-sources.ts";
import { noteSubject } from "./guard.ts";
import { ITEMS_BYTES_MAX, itemTexts } from "./item-body.ts";
import { addRoute, jsonOf, paramOf, queryOf } from "./route.ts";

const STREAMS = "/millrace/v1/streams";
const QUEUES = "/millrace/v1/queues";
const SHOWN_DEFAULT = 10;
const SHOWN_MAX = 100;

/** Streams and queues that millrace keeps itself: to make, to put something in, and to look into. */
export function addEmbeddedRoutes(
  app: FastifyInstance,
  books: () => EmbeddedBooks,
  newKey: () => string,
): void {
  addStreamRoutes(app, books, newKey);
  addQueueRoutes(app, books);
}

function addStreamRoutes(app: FastifyInstance, books: () => EmbeddedBooks, newKey: () => string): void {
  addRoute(app, {
    method: "GET",
    url: STREAMS,
    role: "read",
    orRole: "send",
    async handle() {
      const { streams } = books();
      const found = (await streams.all()).map(async ({ name, keeper }) => {
        const stream = await toldAsFault(keeper.find(name));
        return stream === undefined ? [] : [streamDocument(stream, streams.arnOf(name))];
      });
      return { streams: (await Promise.all(found)).flat() };
    },
  });
  addRoute(app, {
    method: "POST",
    url: STREAMS,
    role: "send",
    action: "CreateStream",
    async handle(request, reply) {
      const { streams } = books();
      const wanted = readNewStream(jsonOf(request));
      const keeper = await streams.forNew(wanted.name);
      if (!(await toldAsFault(keeper.create(wanted)))) throw alreadyThere("stream", wanted.name);
      const stream = await toldAsFault(keeper.find(wanted.name));
      reply.code(201);
      return stream === undefined ? {} : streamDocument(stream, streams.arnOf(wanted.name));
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${STREAMS}/:name/records`,
    role: "inspect",
    action: "ShowRecords",
    async handle(request) {
      const name = paramOf(request, "name");
      noteSubject(request, { source: name });
      const keeper = await books().streams.having(name);
      const shardId = queryOf(request, "shardId");
      const records = keeper.peek(name, {
        recordsMax: countOf(request),
        which: queryOf(request, "which") === "oldest" ? "oldest" : "newest",
        ...(shardId === undefined ? {} : { shardId }),
      });
      return { records: (await toldAsFault(records)).map(recordDocument) };
    },
  });
  addRoute(app, {
    method: "POST",
    url: `${STREAMS}/:name/records`,
    role: "send",
    bodyBytesMax: ITEMS_BYTES_MAX,
    async handle(request, reply) {
      const name = paramOf(request, "name");
      const key = ruleOf(request, "key");
      const isPlain = key !== undefined || queryOf(request, "plain") !== undefined;
      const read = (text: string) =>
        isPlain ? readPlainRecord(text, key ?? {}, newKey) : readRecord(text, newKey);
      const keeper = await books().streams.having(name);
      const outcomes = await putRead(itemTexts(request).map(read), (items) =>
        toldAsFault(keeper.put(name, items)),
      );
      return answer(reply, "records", outcomes);
    },
  });
}

function addQueueRoutes(app: FastifyInstance, books: () => EmbeddedBooks): void {
  addRoute(app, {
    method: "GET",
    url: QUEUES,
    role: "read",
    orRole: "send",
    async handle() {
      const { queues } = books();
      const found = (await queues.all()).map(async ({ name, keeper }) => {
        return await documentsOf(keeper, name, queues.arnOf(name));
      });
      return { queues: (await Promise.all(found)).flat() };
    },
  });
  addRoute(app, {
    method: "POST",
    url: QUEUES,
    role: "send",
    action: "CreateQueue",
    async handle(request, reply) {
      const { queues } = books();
      const wanted = readNewQueue(jsonOf(request));
      const keeper = await queues.forNew(wanted.name);
      if (!(await toldAsFault(keeper.create(wanted)))) throw alreadyThere("queue", wanted.name);
      reply.code(201);
      return (await documentsOf(keeper, wanted.name, queues.arnOf(wanted.name)))[0] ?? {};
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${QUEUES}/:name/messages`,
    role: "inspect",
    action: "ShowMessages",
    async handle(request) {
      const name = paramOf(request, "name");
      noteSubject(request, { source: name });
      const keeper = await books().queues.having(name);
      return { messages: (await toldAsFault(keeper.peek(name, countOf(request)))).map(messageDocument) };
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: `${QUEUES}/:name/messages`,
    role: "write",
    action: "PurgeQueue",
    async handle(request) {
      const name = paramOf(request, "name");
      const keeper = await books().queues.having(name);
      return { purged: await toldAsFault(keeper.purge(name)) };
    },
  });
  addRoute(app, {
    method: "POST",
    url: `${QUEUES}/:name/messages`,
    role: "send",
    bodyBytesMax: ITEMS_BYTES_MAX,
    async handle(request, reply) {
      const name = paramOf(request, "name");
      const [group, dedup] = [ruleOf(request, "group"), ruleOf(request, "dedup")];
      const delaySeconds = delayOf(request);
      const isPlain =
        [group, dedup, delaySeconds].some((given) => given !== undefined) ||
        queryOf(request, "plain") !== undefined;
      const rules = { group: group ?? {}, dedup: dedup ?? {}, delaySeconds };
      const keeper = await books().queues.having(name);
      const read = (text: string) => (isPlain ? readPlainMessage(text, rules) : readMessage(text));
      const outcomes = await putRead(itemTexts(request).map(read), (items) =>
        toldAsFault(keeper.put(name, items)),
      );
      return answer(reply, "messages", outcomes);
    },
  });
}

/** None, when it has gone meanwhile. */
async function documentsOf(keeper: QueueKeeper, name: string, arn: string) {
  const queue = await toldAsFault(keeper.find(name));
  return queue === undefined ? [] : [queueDocument(queue, await toldAsFault(keeper.depth(name)), arn)];
}

/** As AWS's calls on several: each has its answer. Where nothing at all was stored, the status says so too. */
function answer(reply: FastifyReply, member: "records" | "messages", outcomes: readonly PutOutcome[]) {
  const failed = outcomes.filter(({ kind }) => kind !== "stored");
  if (failed.length === outcomes.length) {
    const areRefused = failed.every(({ kind }) => kind === "refused");
    reply.code(areRefused ? 400 : 503);
    const [{ errorMessage } = {}] = failed.map(outcomeDocument);
    return { message: errorMessage, failed: failed.length, [member]: outcomes.map(outcomeDocument) };
  }
  return { failed: failed.length, [member]: outcomes.map(outcomeDocument) };
}

/** `?key=…` or `?keyFrom=/…`; `undefined`: neither is given. @throws ControlFault InvalidParameterValueException */
function ruleOf(request: FastifyRequest, name: string): ValueRule | undefined {
  const [value, from] = [queryOf(request, name), queryOf(request, `${name}From`)];
  if (value === undefined && from === undefined) return undefined;
  const problem = ruleProblem(name, { value, from });
  if (problem !== undefined) throw invalid(problem);
  return { value, from };
}

function delayOf(request: FastifyRequest): number | undefined {
  const text = queryOf(request, "delaySeconds");
  if (text === undefined || /^\d{1,3}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw invalid("delaySeconds is to be a whole number from 0 to 900.");
}

function countOf(request: FastifyRequest): number {
  const text = queryOf(request, "count") ?? String(SHOWN_DEFAULT);
  const count = Number(text);
  if (/^\d{1,3}$/.test(text) && count >= 1 && count <= SHOWN_MAX) return count;
  throw invalid(`count is to be a whole number from 1 to ${SHOWN_MAX}.`);
}

function alreadyThere(noun: string, name: string): ControlFault {
  return new ControlFault("ResourceConflictException", `There is a ${noun} ${name} already.`);
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
