/**
 * `npm run fuzz:answers -- [COUNT] [SEED]`: the readers of AWS's answers on mutated ones. Each is read once by hand and
 * once by a plain reading of the same JSON, and the events that come of both are compared. A reader may refuse an
 * answer, by an error that is its own or JSON's; it may not crash, nor hand out anything that the answer does not say.
 */
import {
  createRecordFactory as createChangeFactory,
  createDynamodbEvents,
} from "../../connectors/dynamodb-streams/event.ts";
import { parseRecords } from "../../connectors/dynamodb-streams/raw-records.ts";
import { parseStreamArn as parseTableArn } from "../../connectors/dynamodb-streams/stream-arn.ts";
import { readPage } from "../../connectors/kinesis/raw-records.ts";
import { createMessageFactory } from "../../connectors/sqs/event.ts";
import { parseQueueArn } from "../../connectors/sqs/queue-arn.ts";
import { readMessages } from "../../connectors/sqs/raw-messages.ts";
import { chanceOf } from "../simulation/host/host-chance.ts";
import { changedAnswer, mutated } from "./mutated-answers.ts";

export interface FuzzCount {
  readonly read: number;
  readonly refused: number;
  readonly elements: number;
}

type Members = Readonly<Record<string, unknown>>;

/** What a refusal may be called. */
const REFUSALS: ReadonlySet<string> = new Set(["SyntaxError", "MalformedAnswer", "MalformedRecord"]);

export const READERS = { sqs: readSqs, kinesis: readKinesis, dynamodb: readDynamodb } as const;

const SEEDS = {
  sqs: JSON.stringify({
    Messages: [
      message("m1", 'plain "text" \\ käse\n', { SenderId: "AIDA", ApproximateReceiveCount: "1" }),
      message(
        "m2",
        JSON.stringify({ order: 7, text: "x".repeat(40) }),
        {},
        {
          note: { DataType: "String", StringValue: "é" },
          blob: { DataType: "Binary", BinaryValue: "AAECAw==" },
        },
      ),
    ],
  }),
  kinesis: JSON.stringify({
    MillisBehindLatest: 0,
    NextShardIterator: "AAAA",
    Records: [1, 2, 3].map((number) => ({
      SequenceNumber: `4959033827149025660855969253836157109592157598913658889${number}`,
      PartitionKey: number === 2 ? "käse" : `key-${number}`,
      Data: Buffer.from(`{"total":${number}}`).toString("base64"),
      ApproximateArrivalTimestamp: 1545084650.987 + number,
    })),
  }),
  dynamodb: JSON.stringify({
    NextShardIterator: "next",
    Records: [1, 2].map((number) => ({
      eventID: `id-${number}`,
      eventName: "MODIFY",
      userIdentity: { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" },
      dynamodb: {
        ApproximateCreationDateTime: 1789651658,
        Keys: { id: { S: `é-${number}` } },
        NewImage: { id: { S: `é-${number}` }, list: { L: [{ N: "1" }, { NULL: true }] } },
        SequenceNumber: `10000000000000000000000${number}`,
        SizeBytes: 26,
        StreamViewType: "NEW_IMAGE",
      },
    })),
  }),
};

/** @throws Error that shows the answer, at the first crash or wrong element */
export function fuzzAnswers(kind: keyof typeof READERS, count: number, seed: number): FuzzCount {
  const random = chanceOf(seed);
  const whole = Buffer.from(SEEDS[kind]);
  const counts = { read: 0, refused: 0, elements: 0 };
  for (let number = 0; number < count; number++) {
    const answer = random() < 0.5 ? changedAnswer(whole, random) : mutated(whole, random);
    try {
      const elements = READERS[kind](answer);
      counts.read++;
      counts.elements += elements;
    } catch (error) {
      if (!(error instanceof Error && REFUSALS.has(error.name))) {
        throw new Error(`answer ${number} of seed ${seed}: ${JSON.stringify(answer.toString("latin1"))}`, {
          cause: error,
        });
      }
      counts.refused++;
    }
  }
  return counts;
}

const toMessage = createMessageFactory(parseQueueArn("arn:aws:sqs:eu-west-1:123456789012:fuzz"), false);

function readSqs(answer: Buffer): number {
  const messages = readMessages(answer).map(toMessage);
  const said =
    (JSON.parse(answer.toString()) as { readonly Messages?: readonly unknown[] | null }).Messages ?? [];
  same(messages.length, said.length);
  messages.forEach((given, index) => {
    const wire = (said[index] ?? {}) as Members;
    if (given.damage !== undefined) {
      if (typeof wire["MessageId"] === "string" && typeof wire["ReceiptHandle"] === "string")
        same(typeof (wire["Body"] ?? "") === "string", false);
      return;
    }
    const event = JSON.parse(given.element.toString()) as Members;
    same(event["messageId"], wire["MessageId"]);
    same(given.receiptHandle, wire["ReceiptHandle"]);
    same(event["receiptHandle"], wire["ReceiptHandle"]);
    same(event["body"], wire["Body"] ?? "");
    const attributes = wire["Attributes"];
    const members =
      typeof attributes === "object" && !Array.isArray(attributes) ? Object.entries(attributes ?? {}) : [];
    const texts = members.filter(([, text]) => typeof text === "string");
    same(sorted(event["attributes"]), sorted(Object.fromEntries(texts)));
  });
  return messages.length;
}

function readKinesis(answer: Buffer): number {
  const { records } = readPage(answer);
  const said =
    (JSON.parse(answer.toString()) as { readonly Records?: readonly Members[] | null }).Records ?? [];
  same(records.length, said.length);
  records.forEach(({ sequenceNumber, partitionKey, data }, index) => {
    same(sequenceNumber, said[index]?.["SequenceNumber"]);
    same(partitionKey, said[index]?.["PartitionKey"] ?? "");
    const text = String(said[index]?.["Data"] ?? "")
      .replace(/=+$/, "")
      .replaceAll("-", "+")
      .replaceAll("_", "/");
    // Bits behind the last whole byte say nothing.
    same(data.toString("base64").replace(/=+$/, "").slice(0, -1), text.slice(0, -1));
  });
  return records.length;
}

const TABLE_STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/fuzz/stream/2026-01-01T00:00:00.000";
const events = createDynamodbEvents(TABLE_STREAM);
const toChange = createChangeFactory(parseTableArn(TABLE_STREAM), "id");

function readDynamodb(answer: Buffer): number {
  const { records } = parseRecords(answer.toString());
  const said = JSON.parse(answer.toString()) as { readonly Records?: readonly Members[] | null };
  let made = 0;
  records.forEach((change, index) => {
    const wire = said.Records?.[index]?.["dynamodb"] as Members | undefined;
    if (change.dynamodb?.SequenceNumber === undefined) return;
    const bytes = Buffer.from(events.element(toChange(change)));
    const element = JSON.parse(bytes.toString()) as { readonly dynamodb: Members };
    same(element.dynamodb["SequenceNumber"], wire?.["SequenceNumber"]);
    same(sorted(element.dynamodb["NewImage"] ?? null), sorted(wire?.["NewImage"] ?? null));
    same(sorted(element.dynamodb["Keys"] ?? null), sorted(wire?.["Keys"] ?? null));
    made++;
  });
  return made;
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

function same(given: unknown, said: unknown): void {
  if (given !== said)
    throw new Error(`${JSON.stringify(given)} was handed out, and the answer says ${JSON.stringify(said)}`);
}

function message(MessageId: string, Body: string, Attributes: object, MessageAttributes?: object): object {
  return {
    MessageId,
    ReceiptHandle: `receipt-${MessageId}`,
    Body,
    Attributes,
    MessageAttributes,
    MD5OfBody: "d4",
  };
}
