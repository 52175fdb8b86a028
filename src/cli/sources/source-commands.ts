import { ruleProblem, type ValueRule, valueBy } from "../../control/embedded/item-text.ts";
import { API_FLAGS } from "../api-client.ts";
import { type CliHost, type Command, type CommandGroup, EXIT_OK, type Flag, type Flags } from "../command.ts";
import { lastValue, usageError, wholeNumber } from "../parse-flags.ts";
import { FILE_FLAG, openDesk } from "./open-desk.ts";
import { putItems } from "./put-items.ts";
import type { SourceDesk, SourceKind } from "./source-desk.ts";
import { createdText, itemTable, sourceTable } from "./source-text.ts";

const SHOWN_MAX = 100;
const SHOWN_DEFAULT = 10;
const SECONDS_MAX = 3_155_760_000;

const HOW = `Over the API of the millrace that runs here, and in the file itself when none does; --api and --file say which.`;

const NAME = { NAME: { isRequired: true, description: "Of the stream or queue." } } as const;

const RETENTION: Flag = { value: "N", description: "How long it keeps what it holds. Default: for ever." };

const COUNT: Flag = {
  value: "N",
  description: `How many are shown, at most ${SHOWN_MAX}. Default ${SHOWN_DEFAULT}.`,
};

interface SourceCommand extends Omit<Command, "name" | "usage" | "run"> {
  readonly name: string;
  readonly run: (desk: SourceDesk, flags: Flags, host: CliHost) => Promise<number>;
}

const STREAMS: readonly SourceCommand[] = [
  {
    name: "create",
    summary: "Makes a stream.",
    details: `Makes a stream that millrace keeps itself. ${HOW}`,
    words: NAME,
    flags: {
      shards: { value: "N", description: "Shards to begin with. Default 1." },
      "retention-seconds": RETENTION,
    },
    run: (desk, flags, host) =>
      create("stream", desk, flags, host, {
        shards: wholeNumber(flags, "shards", { min: 1, max: 1_000 }),
        retentionSeconds: wholeNumber(flags, "retention-seconds", { min: 1, max: SECONDS_MAX }),
      }),
  },
  listCommand("stream"),
  {
    name: "put",
    summary: "Puts records into a stream.",
    details: `Puts each word behind NAME in as a record, or each line of standard input. Records of one key stay in order.
Each is kept exactly as it is written. ${HOW}`,
    words: {
      ...NAME,
      RECORD: { isRepeatable: true, description: "Data of a record. Without any, standard input is read." },
    },
    flags: {
      key: { value: "KEY", description: "Key of all records. Default: each has one of its own." },
      "key-from": {
        value: "POINTER",
        description: "Where the key of a record stands in its JSON, such as /user.",
      },
    },
    run: (desk, flags, host) => {
      const rule = ruleOf(flags, "key");
      return putItems(
        desk,
        {
          ...jobOf("stream", flags, "RECORD"),
          itemOf: (data) => {
            const key = valueBy("key", rule, data);
            return "reason" in key ? key : { json: JSON.stringify({ key: key.text, data }) };
          },
        },
        host,
      );
    },
  },
  {
    name: "peek",
    summary: "Shows records of a stream.",
    details: `Shows the newest records of a stream, in the order of their arrival. Nothing is changed. ${HOW}`,
    words: NAME,
    flags: {
      count: COUNT,
      shard: { value: "ID", description: "Only those of this shard." },
      oldest: { description: "Shows the oldest ones." },
    },
    run: (desk, flags, host) => peek("stream", desk, flags, host),
  },
];

const QUEUES: readonly SourceCommand[] = [
  {
    name: "create",
    summary: "Makes a queue.",
    details: `Makes a queue that millrace keeps itself; one whose name ends in .fifo keeps the order of groups. ${HOW}`,
    words: NAME,
    flags: {
      "hold-seconds": {
        value: "N",
        description: "How long a received message is hidden from others. Default 30.",
      },
      "delay-seconds": { value: "N", description: "How long a message is hidden at first. Default 0." },
      "retention-seconds": RETENTION,
      "dead-letter-queue": {
        value: "NAME",
        description: "Where messages go that were received --max-receive-count times. It must be there.",
      },
      "max-receive-count": { value: "N", description: "See --dead-letter-queue." },
      "content-based-deduplication": {
        description: "A message of a .fifo queue without --dedup has the SHA-256 of its body as one.",
      },
    },
    run: (desk, flags, host) =>
      create("queue", desk, flags, host, {
        holdSeconds: wholeNumber(flags, "hold-seconds", { min: 0, max: 43_200 }),
        delaySeconds: wholeNumber(flags, "delay-seconds", { min: 0, max: 900 }),
        retentionSeconds: wholeNumber(flags, "retention-seconds", { min: 1, max: SECONDS_MAX }),
        deadLetterQueue: lastValue(flags, "dead-letter-queue"),
        maxReceiveCount: wholeNumber(flags, "max-receive-count", { min: 1, max: 1_000 }),
        contentBasedDeduplication: flags.has("content-based-deduplication") ? true : undefined,
      }),
  },
  listCommand("queue"),
  {
    name: "send",
    summary: "Sends messages to a queue.",
    details: `Sends each word behind NAME as a message, or each line of standard input. Each is kept exactly as it is written.
A queue whose name ends in .fifo wants a group. ${HOW}`,
    words: {
      ...NAME,
      MESSAGE: { isRepeatable: true, description: "Body of a message. Without any, standard input is read." },
    },
    flags: {
      group: { value: "GROUP", description: "Group of all messages, whose order is kept." },
      "group-from": {
        value: "POINTER",
        description: "Where the group of a message stands in its JSON, such as /user.",
      },
      dedup: {
        value: "ID",
        description: "Deduplication id: a second message with it within 5 minutes is not sent.",
      },
      "dedup-from": { value: "POINTER", description: "Where the deduplication id stands, such as /id." },
      "delay-seconds": { value: "N", description: "How long the messages are hidden at first." },
    },
    run: (desk, flags, host) => {
      const [group, dedup] = [ruleOf(flags, "group"), ruleOf(flags, "dedup")];
      const delaySeconds = wholeNumber(flags, "delay-seconds", { min: 0, max: 900 });
      return putItems(
        desk,
        {
          ...jobOf("queue", flags, "MESSAGE"),
          itemOf: (body) => {
            const [itsGroup, itsId] = [valueBy("group", group, body), valueBy("dedup", dedup, body)];
            if ("reason" in itsGroup) return itsGroup;
            if ("reason" in itsId) return itsId;
            return { json: JSON.stringify({ body, group: itsGroup.text, dedup: itsId.text, delaySeconds }) };
          },
        },
        host,
      );
    },
  },
  {
    name: "peek",
    summary: "Shows messages of a queue.",
    details: `Shows the oldest messages of a queue, held ones too. Nothing is changed, and it counts as no receive. ${HOW}`,
    words: NAME,
    flags: { count: COUNT },
    run: (desk, flags, host) => peek("queue", desk, flags, host),
  },
  {
    name: "purge",
    summary: "Takes all messages out of a queue.",
    details: `Takes all messages away, held ones too. They are lost. ${HOW}`,
    words: NAME,
    flags: {},
    async run(desk, flags, host) {
      const purged = (await desk.purge?.(nameOf(flags))) ?? 0;
      const text = flags.has("json") ? JSON.stringify({ purged }) : `Took ${purged} messages away.`;
      host.stdout.write(`${text}\n`);
      return EXIT_OK;
    },
  },
];

export const streamsGroup: CommandGroup = {
  name: "streams",
  summary: "Makes streams that millrace keeps itself, and puts records in.",
  commands: STREAMS.map((command) => commandOf("stream", command)),
};

export const queuesGroup: CommandGroup = {
  name: "queues",
  summary: "Makes queues that millrace keeps itself, and sends messages.",
  commands: QUEUES.map((command) => commandOf("queue", command)),
};

function commandOf(kind: SourceKind, { name, words = {}, flags, run, ...texts }: SourceCommand): Command {
  const places = Object.entries(words).map(([word, { isRequired, isRepeatable }]) =>
    isRequired === true ? word : isRepeatable === true ? `[${word}...]` : `[${word}]`,
  );
  return {
    ...texts,
    name: `${kind}s ${name}`,
    usage: [`${kind}s ${name}`, ...places, "[FLAGS]"].join(" "),
    words,
    flags: { ...flags, ...API_FLAGS, ...FILE_FLAG },
    async run(given, host) {
      const desk = await openDesk(kind, given, host);
      try {
        return await run(desk, given, host);
      } finally {
        await desk.close();
      }
    },
  };
}

function listCommand(kind: SourceKind): SourceCommand {
  return {
    name: "list",
    summary: `Lists ${kind}s.`,
    details: `Lists the ${kind}s that millrace keeps itself. ${HOW}`,
    flags: {},
    async run(desk, flags, host) {
      const sources = await desk.list();
      const text = flags.has("json") ? `${JSON.stringify(sources, null, 2)}\n` : sourceTable(kind, sources);
      host.stdout.write(text);
      return EXIT_OK;
    },
  };
}

async function create(
  kind: SourceKind,
  desk: SourceDesk,
  flags: Flags,
  host: CliHost,
  settings: Readonly<Record<string, unknown>>,
): Promise<number> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const source = await desk.create({ name: nameOf(flags), ...Object.fromEntries(given) });
  const text = flags.has("json") ? `${JSON.stringify(source, null, 2)}\n` : createdText(kind, source, desk);
  host.stdout.write(text);
  return EXIT_OK;
}

async function peek(kind: SourceKind, desk: SourceDesk, flags: Flags, host: CliHost): Promise<number> {
  const items = await desk.peek(nameOf(flags), {
    count: wholeNumber(flags, "count", { min: 1, max: SHOWN_MAX }) ?? SHOWN_DEFAULT,
    shardId: lastValue(flags, "shard"),
    which: flags.has("oldest") ? "oldest" : undefined,
  });
  host.stdout.write(flags.has("json") ? `${JSON.stringify(items, null, 2)}\n` : itemTable(kind, items));
  return EXIT_OK;
}

function jobOf(kind: SourceKind, flags: Flags, word: string) {
  return { kind, name: nameOf(flags), words: flags.get(word) ?? [], isJson: flags.has("json") };
}

/** `--key KEY` or `--key-from POINTER`. @throws MillraceError ERR_MILLRACE_CONFIG */
function ruleOf(flags: Flags, name: string): ValueRule {
  const rule = { value: lastValue(flags, name), from: lastValue(flags, `${name}-from`) };
  const problem = ruleProblem(`--${name}`, rule);
  if (problem !== undefined) throw usageError(problem);
  return rule;
}

function nameOf(flags: Flags): string {
  return lastValue(flags, "NAME") ?? "";
}
