import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MillraceError } from "../../src/model/errors.ts";
import type { QueueConnector } from "../../src/ports/connector.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";
import type { QueueEvents, QueueMessage, QueueSource, Settlement } from "../../src/ports/queue-source.ts";

/** A toy of queue kind: messages in a file of JSON. No other file of the repository holds its words. */

/** What the tests look for in what the process shows. */
export const QUEUE_TOY = {
  word: /snail-?post/i,
  title: "snailpost",
  arn: (slug: string) => `arn:aws:snailpost:eu-west-1:123456789012:slug/${slug}`,
  endpoint: "SNAILPOST_FILE",
  fields: (stamp: string) => ({ snailpostStamp: stamp }),
  members: (stamp: string) => ({ SnailpostStamp: stamp }),
  stampField: "snailpostStamp",
  unstamped: "Nobody carries a snailpost without a stamp",
  taken: (stamp: string) => `The stamp ("${stamp}") is stuck on another mapping already.`,
  action: "snailpost:OpenSlug",
  description: "Stamp that the post is read with; one mapping has it.",
} as const;

const parameters: ConnectorParameters = {
  title: QUEUE_TOY.title,
  fields: {
    snailpostStamp: { type: "string", enum: ["blue", "red"], description: QUEUE_TOY.description },
  },
  refuses: ["scalingConfig"],
  actions: [QUEUE_TOY.action],
  check(mapping, report) {
    if (mapping.raw("snailpostStamp") === undefined) report({ rule: "unstamped", path: [], part: "key" });
  },
  texts: {
    unstamped: () => ({ message: QUEUE_TOY.unstamped, remedy: "Give snailpostStamp: blue or red" }),
    stampTaken: ({ facts = {} }) => ({
      message: QUEUE_TOY.taken(String(facts["stamp"])),
      remedy: "Give each mapping a stamp of its own",
    }),
  },
  claims(mapping) {
    const stamp = mapping.raw("snailpostStamp");
    if (typeof stamp !== "string") return [];
    const fault = { rule: "stampTaken", path: ["snailpostStamp"], facts: { stamp } };
    return [{ key: ["stamp", stamp], isOfFunction: false, fault }];
  },
};

const snailpostConnector: QueueConnector = {
  kind: "snailpost",
  offers: "queue",
  sources: [{ kind: "arn", service: "snailpost", resourcePrefix: "slug/" }],
  filterDataKey: "body",
  isFifoQueue: () => false,
  endpointNames: [QUEUE_TOY.endpoint],
  parameters,
  openQueue: async ({ eventSourceArn }, { endpoints }) =>
    openToyQueue(endpoints?.[QUEUE_TOY.endpoint]?.[0] ?? "", eventSourceArn),
};

export const CONNECTORS = [snailpostConnector];

interface Letter {
  readonly id: string;
  readonly body: string;
  readonly receives: number;
  /** Until when nobody else gets it. */
  readonly hiddenMs: number;
}

interface SnailMessage extends QueueMessage {
  readonly element: string;
  readonly body: string;
  readonly receives: number;
}

/** A file `{ visibilityMs, letters }`, which one process at a time changes, each time as a whole. */
export function openToyQueue(
  path: string,
  eventSourceArn: string,
  now: () => number = Date.now,
): QueueSource {
  const read = (): Box => {
    try {
      return JSON.parse(readFileSync(path, "utf8"));
    } catch (cause) {
      throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such slug.", { cause });
    }
  };
  const write = (box: Box) => writeFileSync(path, JSON.stringify(box));
  const { visibilityMs } = read();
  /** `undefined` as the new letter: it is taken off. */
  const settle = (
    messages: readonly QueueMessage[],
    change: (letter: Letter) => Letter | undefined,
  ): readonly Settlement[] => {
    const box = read();
    const nowMs = now();
    const letters = new Map(box.letters.map((letter) => [letter.id, letter]));
    const settlements = messages.map((message): Settlement => {
      const letter = letters.get(message.messageId);
      const isOurs = letter?.receives === message.receiveCount && letter.hiddenMs > nowMs;
      if (letter === undefined || !isOurs) return "lost";
      const changed = change(letter);
      if (changed === undefined) letters.delete(letter.id);
      else letters.set(letter.id, changed);
      return "settled";
    });
    write({ ...box, letters: [...letters.values()] });
    return settlements;
  };
  const take = (messagesMax: number, holdMs: number): readonly Letter[] => {
    const box = read();
    const nowMs = now();
    const free = box.letters.filter(({ hiddenMs }) => hiddenMs <= nowMs).slice(0, messagesMax);
    const held = new Map(
      free.map((letter) => [
        letter.id,
        { ...letter, receives: letter.receives + 1, hiddenMs: nowMs + holdMs },
      ]),
    );
    if (held.size > 0) write({ ...box, letters: box.letters.map((letter) => held.get(letter.id) ?? letter) });
    return [...held.values()];
  };
  return {
    description: { kind: "snailpost", eventSourceArn, isFifo: false, visibilityMs, receiveMessagesMax: 10 },
    events: EVENTS,
    async receive({ messagesMax, waitMs, holdMs }, signal) {
      const endMs = performance.now() + waitMs;
      for (;;) {
        if (signal.aborted) return [];
        const taken = take(Math.min(messagesMax, 10), holdMs);
        if (taken.length > 0 || performance.now() >= endMs) return taken.map(messageOf);
        await sleep(20, undefined, { signal }).catch(() => undefined);
      }
    },
    acknowledge: async (messages) => settle(messages, () => undefined),
    release: async (messages, delayMs) =>
      settle(messages, (letter) => ({ ...letter, hiddenMs: now() + delayMs })),
    extend: async (messages, holdMs) =>
      settle(messages, (letter) => ({ ...letter, hiddenMs: now() + holdMs })),
    close: async () => undefined,
  };
}

interface Box {
  readonly visibilityMs: number;
  readonly letters: readonly Letter[];
}

function messageOf({ id, body, receives }: Letter): SnailMessage {
  const element = JSON.stringify({ messageId: id, body });
  const encodedBytes = Buffer.byteLength(element);
  return {
    messageId: id,
    groupId: undefined,
    receiveCount: receives,
    bytes: encodedBytes,
    encodedBytes,
    element,
    body,
    receives,
  };
}

const EVENTS: QueueEvents = {
  encode: (messages) =>
    Buffer.from(`{"Records":[${messages.map((message) => (message as SnailMessage).element).join(",")}]}`),
  element: (message) => Buffer.from((message as SnailMessage).element),
  eventOf: (elements) => Buffer.from(`{"Records":[${elements.map((each) => Buffer.from(each)).join(",")}]}`),
  envelopeBytes: Buffer.byteLength('{"Records":[]}'),
  filterDocument: (message) => {
    const { messageId, body } = message as SnailMessage;
    const read = objectOf(body);
    return { document: { messageId, body: read ?? body }, isDataJson: read !== undefined };
  },
  filterDataKey: "body",
};

/** Only objects are JSON data (filters §3). */
function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
