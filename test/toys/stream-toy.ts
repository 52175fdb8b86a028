import { readFile } from "node:fs/promises";
import { MillraceError } from "../../src/model/errors.ts";
import type { Position, StartPoint, StreamRecord } from "../../src/model/record.ts";
import type { SourceSettings, StreamConnector } from "../../src/ports/connector.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";
import type { ShardRead, ShardReader, StreamEvents, StreamSource } from "../../src/ports/stream-source.ts";
import { readSecret } from "../../src/secrets/read-secret.ts";
import { parseSecretUri } from "../../src/secrets/secret-uri.ts";

/**
 * A toy: a stream in a file with a line of JSON for each record, with a parameter, a secret, a claim and an error text
 * of its own. No other file of the repository holds its words: what shows them has asked its parameters.
 */

/** What the tests look for in what the process shows. */
export const STREAM_TOY = {
  word: /glow-?worm/i,
  title: "glowworms",
  arn: (meadow: string) => `arn:aws:glowworm:eu-west-1:123456789012:meadow/${meadow}`,
  endpoint: "GLOWWORM_FILE",
  passphrase: "will-o-the-wisp",
  secretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:meadow-1",
  secretDocument: { word: "will-o-the-wisp" },
  fields: (lantern: string, blink: number, uri: string) => ({
    glowwormLantern: lantern,
    glowwormBlinkSeconds: blink,
    glowwormPassphrase: uri,
  }),
  members: (lantern: string, blink: number, uri: string) => ({
    GlowwormLantern: lantern,
    GlowwormBlinkSeconds: blink,
    GlowwormPassphrase: uri,
  }),
  blinkField: "glowwormBlinkSeconds",
  blinkMember: "GlowwormBlinkSeconds",
  passphraseField: "glowwormPassphrase",
  tooFast: "A glowworm of this lantern rests for 7 seconds",
  taken: (lantern: string) => `The lantern ("${lantern}") hangs over another mapping already.`,
  defaultBlink: 9,
  action: "glowworm:WatchMeadow",
  description: "How long it is dark between two blinks, in seconds.",
} as const;

const parameters: ConnectorParameters = {
  title: STREAM_TOY.title,
  fields: {
    glowwormLantern: {
      type: "string",
      minLength: 1,
      maxLength: 20,
      description: "Lantern that the mapping reads by; one mapping has it.",
    },
    glowwormBlinkSeconds: { type: "integer", minimum: 1, maximum: 60, description: STREAM_TOY.description },
    glowwormPassphrase: {
      type: "string",
      minLength: 5,
      "x-millrace-secret": true,
      description: "Where the word stands that opens the meadow.",
    },
  },
  refuses: ["tumblingWindowInSeconds"],
  notes: { startingPosition: "Glowworms: the oldest record is the default." },
  immutable: ["glowwormLantern"],
  defaults: { startingPosition: "TRIM_HORIZON" },
  actions: [STREAM_TOY.action],
  shown: (_mapping, { own }) => ({ glowwormBlinkSeconds: STREAM_TOY.defaultBlink, ...own }),
  check(mapping, report) {
    const blink = mapping.raw("glowwormBlinkSeconds");
    if (typeof blink === "number" && blink > 0 && blink < 7)
      report({ rule: "tooFast", path: ["glowwormBlinkSeconds"] });
    const uri = mapping.raw("glowwormPassphrase");
    if (typeof uri !== "string") return;
    const secret = parseSecretUri(uri, mapping.folder);
    if (secret.kind === "reference") return;
    report({ rule: "secretReference", path: ["glowwormPassphrase"], facts: { problem: secret.problem } });
  },
  texts: {
    tooFast: () => ({ message: STREAM_TOY.tooFast, remedy: "Let it rest, or hang up another lantern" }),
    lanternTaken: ({ facts = {} }) => ({
      message: STREAM_TOY.taken(String(facts["lantern"])),
      remedy: "Give each mapping a lantern of its own",
    }),
  },
  claims(mapping) {
    const arn = mapping.raw("eventSourceArn");
    const lantern = mapping.raw("glowwormLantern");
    const place = {
      key: ["source", arn],
      isOfFunction: true,
      fault: { rule: "exists", path: ["eventSourceArn"] },
    };
    if (typeof lantern !== "string") return [place];
    const fault = { rule: "lanternTaken", path: ["glowwormLantern"], facts: { lantern } };
    return [place, { key: ["lantern", lantern], isOfFunction: false, fault }];
  },
};

const glowwormConnector: StreamConnector = {
  kind: "glowworm",
  offers: "stream",
  sources: [{ kind: "arn", service: "glowworm", resourcePrefix: "meadow/" }],
  filterDataKey: "body",
  startingPositions: ["TRIM_HORIZON", "LATEST"],
  endpointNames: [STREAM_TOY.endpoint],
  parameters,
  async openStream(mapping, settings) {
    await enter(settings);
    return openToyStream(settings.endpoints?.[STREAM_TOY.endpoint]?.[0] ?? "", mapping.eventSourceArn ?? "");
  },
};

export const CONNECTORS = [glowwormConnector];

/** Who does not know the word does not get in. */
async function enter({ own = {}, folder = "" }: SourceSettings): Promise<void> {
  const reference = parseSecretUri(String(own["glowwormPassphrase"] ?? ""), folder);
  const uri = reference.kind === "reference" ? reference.uri : "";
  const secret = await readSecret({ uri, purpose: "glowwormPassphrase", form: '{"word": TEXT}' });
  const { word } = JSON.parse(secret.reveal());
  if (word === STREAM_TOY.passphrase) return;
  throw new MillraceError("ERR_MILLRACE_CONFIG", "The glowworms do not know this word.");
}

interface GlowwormRecord extends StreamRecord {
  readonly element: string;
  readonly data: string;
}

const SHARD = "meadow";

/** A file that grows by lines `{ key, data, ms }`. */
export function openToyStream(path: string, eventSourceArn: string): StreamSource {
  const read = async (signal: AbortSignal): Promise<readonly GlowwormRecord[]> => {
    if (signal.aborted)
      throw new MillraceError("ERR_MILLRACE_ABORTED", "Nobody looks at the glowworms any more.");
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such meadow.", { cause });
    });
    return text
      .split("\n")
      .slice(0, -1)
      .map((line, index) => recordOf(JSON.parse(line), index));
  };
  const known = (shardId: string) => {
    if (shardId !== SHARD)
      throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is one shard only.");
  };
  return {
    description: {
      kind: "glowworm",
      eventSourceArn,
      batchInfoName: "KinesisBatchInfo",
      arrivalPrecision: "milliseconds",
    },
    events: EVENTS,
    async listShards(signal) {
      await read(signal);
      return [{ shardId: SHARD, parentShardIds: [], closed: false }];
    },
    async captureLatest(shardId, signal) {
      known(shardId);
      return { kind: "after", position: String((await read(signal)).length - 1) };
    },
    async openReader(shardId, start, signal) {
      known(shardId);
      await read(signal);
      return readerFrom(start, read);
    },
    comparePositions: (a, b) => Number(a) - Number(b),
    close: async () => undefined,
  };
}

function readerFrom(
  start: StartPoint,
  read: (signal: AbortSignal) => Promise<readonly GlowwormRecord[]>,
): ShardReader {
  let next = start.kind === "after" ? Number(start.position) + 1 : 0;
  return {
    async read(recordsMax, bytesMax, signal): Promise<ShardRead> {
      const all = await read(signal);
      const wanted = all.slice(next, next + recordsMax);
      let bytes = 0;
      const fitting = wanted.filter((record, index) => {
        bytes += record.bytes;
        return index === 0 || bytes <= bytesMax;
      });
      next += fitting.length;
      return {
        records: fitting,
        endOfShard: false,
        lagMs: next === all.length ? 0 : undefined,
        readAgainAfterMs: fitting.length === 0 ? 20 : 0,
        trimmed: false,
      };
    },
    close: async () => undefined,
  };
}

function recordOf(line: { key: string; data: string; ms: number }, index: number): GlowwormRecord {
  const position: Position = String(index);
  const element = JSON.stringify({ messageId: position, body: line.data });
  const encodedBytes = Buffer.byteLength(element);
  return {
    position,
    key: line.key,
    arrivalMs: line.ms,
    bytes: encodedBytes,
    encodedBytes,
    element,
    data: line.data,
  };
}

const EVENTS: StreamEvents = {
  encode: (records) =>
    Buffer.from(`{"Records":[${records.map((record) => (record as GlowwormRecord).element).join(",")}]}`),
  element: (record) => Buffer.from((record as GlowwormRecord).element),
  eventOf: (_shardId, elements) =>
    Buffer.from(`{"Records":[${elements.map((each) => Buffer.from(each)).join(",")}]}`),
  envelopeBytes: () => Buffer.byteLength('{"Records":[]}'),
  filterDocument: (record) => {
    const { data } = record as GlowwormRecord;
    try {
      const body: unknown = JSON.parse(data);
      return { document: { body }, isDataJson: typeof body === "object" && body !== null };
    } catch {
      return { document: { body: data }, isDataJson: false };
    }
  },
  filterDataKey: "body",
};
