import { ControlFault } from "../../control/control-fault.ts";
import { embeddedQueuesOf, embeddedStreamsOf } from "../../control/embedded/embedded-book.ts";
import { readMessage } from "../../control/embedded/message-text.ts";
import { readNewQueue, readNewStream } from "../../control/embedded/new-source.ts";
import { putRead } from "../../control/embedded/put-read.ts";
import { outcomeDocument, readRecord } from "../../control/embedded/record-text.ts";
import {
  messageDocument,
  queueDocument,
  recordDocument,
  streamDocument,
} from "../../control/embedded/source-document.ts";
import { hasErrorCode, MillraceError } from "../../model/errors.ts";
import type { Place } from "../../model/place.ts";
import type { Connector } from "../../ports/connector.ts";
import type { SourceDesk, SourceKind } from "./source-desk.ts";

/** In a file of this machine, whether or not a process has it open too. */
export async function createFileDesk(
  kind: SourceKind,
  file: string | undefined,
  { connectors, place, newKey }: FileDeskParts,
): Promise<SourceDesk> {
  return kind === "stream"
    ? await streamDesk(file, connectors, place, newKey)
    : await queueDesk(file, connectors, place);
}

export interface FileDeskParts {
  readonly connectors: readonly Connector[];
  /** In the ARNs that are shown. */
  readonly place: Place;
  readonly newKey: () => string;
}

async function streamDesk(
  file: string | undefined,
  connectors: readonly Connector[],
  place: Place,
  newKey: () => string,
): Promise<SourceDesk> {
  const sources = embeddedStreamsOf(connectors) ?? nobodyKeeps("stream");
  const at = file ?? sources.defaultPlace;
  const open = lazily((mayCreate) => sources.open(at, mayCreate));
  const show = async (name: string) => {
    const found = await (await open.get()).find(name);
    return found === undefined ? [] : [streamDocument(found, sources.arnOf(name, place))];
  };
  return {
    place: `the file ${at}`,
    endpoints: `{ ${sources.endpointName}: [${JSON.stringify(at)}] }`,
    list: async () => (await Promise.all((await namesIn(open.get())).map(show))).flat(),
    async create(members) {
      const wanted = readAs(() => readNewStream(members));
      if (!(await (await open.get(true)).create(wanted))) throw alreadyThere("stream", wanted.name, at);
      return (await show(wanted.name))[0] ?? {};
    },
    put: async (name, items) =>
      (
        await putRead(
          items.map((text) => readRecord(text, newKey)),
          async (records) => await (await open.get()).put(name, records),
        )
      ).map(outcomeDocument),
    async peek(name, { count, shardId, which = "newest" }) {
      const wanted = { recordsMax: count, which, ...(shardId === undefined ? {} : { shardId }) };
      return (await (await open.get()).peek(name, wanted)).map(recordDocument);
    },
    close: open.close,
  };
}

async function queueDesk(
  file: string | undefined,
  connectors: readonly Connector[],
  place: Place,
): Promise<SourceDesk> {
  const sources = embeddedQueuesOf(connectors) ?? nobodyKeeps("queue");
  const at = file ?? sources.defaultPlace;
  const open = lazily((mayCreate) => sources.open(at, mayCreate));
  const show = async (name: string) => {
    const keeper = await open.get();
    const found = await keeper.find(name);
    if (found === undefined) return [];
    return [queueDocument(found, await keeper.depth(name), sources.arnOf(name, place))];
  };
  return {
    place: `the file ${at}`,
    endpoints: `{ ${sources.endpointName}: [${JSON.stringify(at)}] }`,
    list: async () => (await Promise.all((await namesIn(open.get())).map(show))).flat(),
    async create(members) {
      const wanted = readAs(() => readNewQueue(members));
      if (!(await (await open.get(true)).create(wanted))) throw alreadyThere("queue", wanted.name, at);
      return (await show(wanted.name))[0] ?? {};
    },
    put: async (name, items) =>
      (
        await putRead(
          items.map(readMessage),
          async (messages) => await (await open.get()).put(name, messages),
        )
      ).map(outcomeDocument),
    peek: async (name, { count }) => (await (await open.get()).peek(name, count)).map(messageDocument),
    purge: async (name) => await (await open.get()).purge(name),
    close: open.close,
  };
}

/** Opened once, when it is first wanted. */
function lazily<Keeper extends { close(): Promise<void> }>(open: (mayCreate: boolean) => Promise<Keeper>) {
  let opened: Promise<Keeper> | undefined;
  return {
    get(mayCreate = false): Promise<Keeper> {
      opened ??= open(mayCreate);
      return opened;
    },
    close: async () => await (await opened)?.close(),
  };
}

/** A file that is not there holds nothing yet. */
async function namesIn(keeper: Promise<{ names(): Promise<readonly string[]> }>): Promise<readonly string[]> {
  try {
    return await (await keeper).names();
  } catch (error) {
    if (hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND")) return [];
    throw error;
  }
}

/** What the API would refuse is bad input here. */
function readAs<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ControlFault) throw new MillraceError("ERR_MILLRACE_CONFIG", error.message);
    throw error;
  }
}

function alreadyThere(kind: SourceKind, name: string, at: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `There is a ${kind} ${name} in ${at} already.`);
}

function nobodyKeeps(kind: SourceKind): never {
  throw new MillraceError("ERR_MILLRACE_CONFIG", `No connector here keeps a ${kind} itself.`);
}
