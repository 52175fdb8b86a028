/** What the senders of load tests say of records that a service did not take, or of whose fate nobody tells. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { openItemSender } from "../../connectors/dynamodb-streams/sender.ts";
import { parseStreamArn as parseTableStream } from "../../connectors/dynamodb-streams/stream-arn.ts";
import { createStreamSender } from "../../connectors/kinesis/sender.ts";
import { parseStreamArn } from "../../connectors/kinesis/stream-arn.ts";
import { parseQueueArn } from "../../connectors/sqs/queue-arn.ts";
import { openQueueSender } from "../../connectors/sqs/sender.ts";
import type { RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { useAwsEnvironment } from "../servers/aws-environment.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** What a call that sends gets; the calls of opening a sender get what they need. */
let answer: Answer = (response) => response.end("{}");
let describeTable: Answer = json(200, {
  Table: {
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
  },
});
let sends = 0;

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    const action = String(request.headers["x-amz-target"]).split(".")[1];
    if (action === "GetQueueUrl") json(200, { QueueUrl: "http://elsewhere.invalid/1/q" })(response, request);
    else if (action === "DescribeTable") describeTable(response, request);
    else {
      sends += 1;
      answer(response, request);
    }
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => {
  server.closeAllConnections();
  server.close();
});
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
useAwsEnvironment({
  AWS_ENDPOINT_URL_KINESIS: endpoint,
  AWS_ENDPOINT_URL_SQS: endpoint,
  AWS_ENDPOINT_URL_DYNAMODB: endpoint,
});

function json(status: number, body: object): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  };
}

const failsWith = (status: number, code: string) => json(status, { __type: code, message: "no" });
const cut: Answer = (_response, request) => request.socket.destroy();

const STREAM = parseStreamArn("arn:aws:kinesis:eu-west-1:123456789012:stream/orders");
const QUEUE = parseQueueArn("arn:aws:sqs:eu-west-1:123456789012:orders");
const TABLE = parseTableStream(
  "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
);

interface Kind {
  readonly name: string;
  open(): Promise<RecordSender>;
  /** Of its service, for two records. */
  readonly accepts: Answer;
}

const KINDS: readonly Kind[] = [
  {
    name: "Kinesis",
    open: async () => createStreamSender(STREAM),
    accepts: json(200, { Records: [put("1"), put("2")] }),
  },
  {
    name: "SQS",
    open: () => openQueueSender(QUEUE),
    accepts: json(200, { Successful: [sent("0"), sent("1")], Failed: [] }),
  },
  { name: "DynamoDB", open: () => openItemSender(TABLE), accepts: json(200, {}) },
];

function put(SequenceNumber: string) {
  return { SequenceNumber, ShardId: "shardId-000000000000" };
}

function sent(Id: string) {
  return { Id, MessageId: `m-${Id}`, MD5OfMessageBody: "0".repeat(32) };
}

/** What becomes of two records when the service answers like this. */
async function outcomesOf({ open }: Pick<Kind, "open">, given: Answer): Promise<readonly SendOutcome[]> {
  answer = given;
  const sender = await open();
  try {
    return await sender.send(["one", "two"].map((key) => ({ key, data: "data" })));
  } finally {
    await sender.close();
  }
}

for (const kind of KINDS) {
  describe(`a sender into ${kind.name}`, () => {
    const both: readonly (readonly [what: string, answer: Answer, outcome: SendOutcome])[] = [
      ["what is stored is accepted", kind.accepts, "accepted"],
      ["what may not be written is refused", failsWith(400, "AccessDeniedException"), "refused"],
      ["what is too much for the service is refused", failsWith(400, "ThrottlingException"), "refused"],
      ["what failed inside the service is unknown", failsWith(500, "InternalFailure"), "unknown"],
      ["what timed out at the service is unknown", failsWith(408, "RequestTimeoutException"), "unknown"],
      [
        "what a gateway answers for is unknown",
        (response) => response.writeHead(502).end("<html>"),
        "unknown",
      ],
      [
        "an answer that is no answer leaves its records unknown",
        (response) => response.end("<html>"),
        "unknown",
      ],
      ["a connection that breaks leaves its records unknown", cut, "unknown"],
    ];
    for (const [what, given, outcome] of both) {
      test(what, async () => {
        assert.deepEqual(await outcomesOf(kind, given), [outcome, outcome]);
      });
    }

    test("nothing is sent twice, whatever the answer: the order of a key would be gone", async () => {
      for (const given of [failsWith(500, "InternalFailure"), failsWith(400, "ThrottlingException"), cut]) {
        sends = 0;
        await outcomesOf(kind, given);
        assert.equal(sends, kind.name === "DynamoDB" ? 2 : 1);
      }
    });
  });
}

test("of one PutRecords some are accepted, some refused, and an internal failure promises nothing", async () => {
  const failed = (ErrorCode: string) => ({ ErrorCode, ErrorMessage: "no" });
  const cases: readonly (readonly [records: object, wanted: readonly SendOutcome[]])[] = [
    [{ Records: [put("1"), failed("ProvisionedThroughputExceededException")] }, ["accepted", "refused"]],
    [{ Records: [failed("InternalFailure"), put("2")] }, ["unknown", "accepted"]],
    [{ Records: [{ ...put("1"), ErrorCode: null, ErrorMessage: null }] }, ["accepted", "unknown"]],
  ];
  for (const [records, wanted] of cases) {
    assert.deepEqual(
      await outcomesOf({ open: async () => createStreamSender(STREAM) }, json(200, records)),
      wanted,
    );
  }
});

test("of one SendMessageBatch what is in neither list is unknown, and what failed inside the service too", async () => {
  const failed = (Id: string, SenderFault: boolean) => ({ Id, SenderFault, Code: "Code", Message: "no" });
  const cases: readonly (readonly [answer: object, wanted: readonly SendOutcome[]])[] = [
    [{ Successful: [sent("1")], Failed: [failed("0", true)] }, ["refused", "accepted"]],
    [{ Successful: [sent("0")], Failed: [failed("1", false)] }, ["accepted", "unknown"]],
    [{ Successful: [sent("0")] }, ["accepted", "unknown"]],
    [{ Failed: [failed("0", true)] }, ["refused", "unknown"]],
  ];
  for (const [body, wanted] of cases) {
    assert.deepEqual(await outcomesOf({ open: () => openQueueSender(QUEUE) }, json(200, body)), wanted);
  }
});

test("a put that gets no answer is given up, and unknown: its item's records would wait for ever", async () => {
  assert.deepEqual(await outcomesOf({ open: () => openItemSender(TABLE, 1_000) }, () => {}), [
    "unknown",
    "unknown",
  ]);
});

test("a table that cannot be described is told of with what a load test needs, not with what reading needs", async () => {
  describeTable = failsWith(400, "AccessDeniedException");
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => openItemSender(TABLE));
  assert.match(error.message, /the table orders of arn:.*DescribeTable failed \(AccessDeniedException\)/);
  assert.match(error.message, /dynamodb:DescribeTable and dynamodb:PutItem/);
});
