import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { bodies, bodiesAndCounts, createPlainQueue, redriveTo } from "./plain-queue.ts";

// Facts about ElasticMQ, with nothing of Millrace between: what the suites that run on it take for granted, and, marked
// "AWS:", where it is another. When one of these fails with a new version, look here first.

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 60_000 };
/** Longer than any test. */
const LONG = { VisibilityTimeout: "600" };
/** The shortest there is. */
const SHORT_SECONDS = 1;
const LOST = "ReceiptHandleIsInvalid";

describe("ElasticMQ's FIFO queues", HANG, () => {
  test("a receive gives messages of several groups, each group's in order", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    await queue.send("a1", "b1", "a2", "c1", "b2");
    // As AWS says of itself: as many of one group as there are, then the next group. So not the order of the queue.
    assert.deepEqual(bodies(await queue.receive()), ["a1", "a2", "b1", "b2", "c1"]);
  });

  test("a group gives nothing while a message of it is held, and other groups go on", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    await queue.send("a1", "a2", "b1");
    const held = await queue.receive({ messagesMax: 1 });
    assert.deepEqual(bodies(held), ["a1"]);
    assert.deepEqual(bodies(await queue.receive()), ["b1"]);
    await queue.send("a3");
    assert.deepEqual(bodies(await queue.receive()), []);
    assert.deepEqual(await queue.remove(...held), ["ok"]);
    assert.deepEqual(bodies(await queue.receive()), ["a2", "a3"]);
  });

  test("a group stays blocked while any of its messages is held, be the others released or deleted", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    await queue.send("a1", "a2", "a3");
    const held = await queue.receive();
    assert.deepEqual(await queue.hold(0, ...held.slice(2)), ["ok"]);
    assert.deepEqual(await queue.remove(...held.slice(0, 1)), ["ok"]);
    assert.deepEqual(bodies(await queue.receive()), []);
    assert.deepEqual(await queue.hold(0, ...held.slice(1, 2)), ["ok"]);
    assert.deepEqual(bodiesAndCounts(await queue.receive()), ["a2:2", "a3:2"]);
  });

  test("messages that are released in another order come again in their own", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    await queue.send("a1", "a2", "a3");
    const held = await queue.receive();
    for (const message of held.toReversed()) await queue.hold(0, message);
    assert.deepEqual(bodiesAndCounts(await queue.receive()), ["a1:2", "a2:2", "a3:2"]);
  });

  test("messages whose holds end come again in order, before later ones", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    await queue.send("a1", "a2");
    assert.deepEqual(bodies(await queue.receive({ holdSeconds: SHORT_SECONDS })), ["a1", "a2"]);
    await queue.send("a3");
    // Holds of one receive may end a moment apart: then the first comes alone, and the others behind its deletion.
    const seen: string[] = [];
    for (let receives = 0; receives < 3 && seen.length < 3; receives++) {
      const messages = await queue.receiveSoon();
      seen.push(...bodiesAndCounts(messages));
      await queue.remove(...messages);
    }
    assert.deepEqual(seen, ["a1:2", "a2:2", "a3:1"]);
  });

  test("five receivers get every group in order, and never one group two at a time", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    const groups = [..."abcdefghij"];
    const rounds = Array.from({ length: 20 }, (_, index) => String(index).padStart(2, "0"));
    await queue.send(...rounds.flatMap((round) => groups.map((group) => `${group}${round}`)));
    const inHand = new Set<string>();
    const handled: string[] = [];
    const work = async () => {
      while (handled.length < groups.length * rounds.length) {
        const messages = await queue.receive({ waitSeconds: 1 });
        const taken = new Set(bodies(messages).map((body) => body.slice(0, 1)));
        for (const group of taken) assert.ok(!inHand.has(group), `group ${group} is in two hands`);
        for (const group of taken) inHand.add(group);
        handled.push(...bodies(messages));
        // Before the deletion: another receiver may be given the group before this one hears that it is done.
        for (const group of taken) inHand.delete(group);
        if (messages.length > 0) await queue.remove(...messages);
      }
    };
    await Promise.all(Array.from({ length: 5 }, work));
    for (const group of groups) {
      const own = handled.filter((body) => body.startsWith(group));
      assert.deepEqual(
        own,
        rounds.map((round) => `${group}${round}`),
      );
    }
  });
});

describe("ElasticMQ's receipt handles", HANG, () => {
  for (const kind of ["standard", "fifo"] as const) {
    test(`a batch answers for each message by itself: ${kind}`, async () => {
      await using queue = await createPlainQueue(kind, LONG);
      await queue.send("a1", "b1", "c1");
      const [gone, kept, other] = await queue.receive();
      assert.ok(gone !== undefined && kept !== undefined && other !== undefined);
      const foreign = { ReceiptHandle: "no receipt handle" };
      assert.deepEqual(await queue.remove(gone, foreign, other), ["ok", LOST, "ok"]);
      assert.deepEqual(await queue.hold(0, gone, kept, foreign), [LOST, "ok", LOST]);
      assert.deepEqual(bodiesAndCounts(await queue.receive()), [`${kept.Body}:2`]);
    });

    // AWS: FIFO answers `InvalidParameterValue`, "The receipt handle has expired"; standard may answer with success.
    test(`a handle is invalid once the message was received again: ${kind}`, async () => {
      await using queue = await createPlainQueue(kind, LONG);
      await queue.send("a1");
      const late = await queue.receive({ holdSeconds: SHORT_SECONDS });
      const again = await queue.receiveSoon();
      assert.deepEqual(bodiesAndCounts(again), ["a1:2"]);
      assert.deepEqual(await queue.remove(...late), [LOST]);
      assert.deepEqual(await queue.hold(0, ...late), [LOST]);
      assert.deepEqual(bodies(await queue.receive()), []);
      assert.deepEqual(await queue.remove(...again), ["ok"]);
      assert.deepEqual(await queue.remove(...again), [LOST]);
    });

    // AWS: FIFO answers `InvalidParameterValue` here too, and a change of visibility is `MessageNotInflight`.
    test(`a handle serves behind its hold's end until the message is received again: ${kind}`, async () => {
      await using queue = await createPlainQueue(kind, LONG);
      await queue.send("a1");
      const late = await queue.receive();
      assert.deepEqual(await queue.hold(0, ...late), ["ok"]);
      assert.deepEqual(await queue.hold(600, ...late), ["ok"]);
      assert.deepEqual(bodies(await queue.receive()), []);
      assert.deepEqual(await queue.hold(0, ...late), ["ok"]);
      assert.deepEqual(await queue.remove(...late), ["ok"]);
      assert.deepEqual(bodies(await queue.receive()), []);
    });
  }

  test("of a batch of eleven, of eleven messages and of a queue that is gone, the whole call fails", async () => {
    const queue = await createPlainQueue("standard", LONG);
    const eleven = Array.from({ length: 11 }, () => ({ ReceiptHandle: "no receipt handle" }));
    await assert.rejects(queue.remove(...eleven), { name: "TooManyEntriesInBatchRequest" });
    // AWS: `InvalidParameterValue`.
    await assert.rejects(queue.receive({ messagesMax: 11 }), { name: "InvalidAttributeValue" });
    await queue.client.deleteQueue({ QueueUrl: queue.url });
    await assert.rejects(queue.receive(), { name: "QueueDoesNotExist" });
    await assert.rejects(queue.remove({ ReceiptHandle: "no receipt handle" }), { name: "QueueDoesNotExist" });
    queue.client.destroy();
  });
});

describe("ElasticMQ's dead-letter queues", HANG, () => {
  for (const kind of ["standard", "fifo"] as const) {
    test(`a message that was received three times is moved by the fourth receive: ${kind}`, async () => {
      await using dead = await createPlainQueue(kind, LONG);
      await using queue = await createPlainQueue(kind, { ...LONG, ...redriveTo(dead, 3) });
      await queue.send("a1");
      for (const count of [1, 2, 3]) {
        const held = await queue.receive();
        assert.deepEqual(bodiesAndCounts(held), [`a1:${count}`]);
        await queue.hold(0, ...held);
      }
      assert.deepEqual(await dead.receive(), []);
      assert.deepEqual(await queue.receive(), []);
      const [letter] = await dead.receive();
      assert.equal(letter?.Body, "a1");
      assert.equal(letter?.Attributes?.DeadLetterQueueSourceArn, queue.arn);
    });
  }

  test("the receive that moves a message gives the next of its group, when it asked for more than one", async () => {
    await using dead = await createPlainQueue("fifo", LONG);
    await using queue = await createPlainQueue("fifo", { ...LONG, ...redriveTo(dead, 3) });
    await queue.send("a1", "a2");
    for (const _ of [1, 2, 3]) await queue.hold(0, ...(await queue.receive({ messagesMax: 1 })));
    assert.deepEqual(bodiesAndCounts(await queue.receive({ messagesMax: 2 })), ["a2:1"]);
    assert.deepEqual(bodies(await dead.receive()), ["a1"]);
  });

  test("a queue tells its redrive policy, visibility time-out and kind as strings", async () => {
    await using dead = await createPlainQueue("fifo");
    await using queue = await createPlainQueue("fifo", { ...LONG, ...redriveTo(dead, 3) });
    const request = { QueueUrl: queue.url, AttributeNames: ["All" as const] };
    const { Attributes = {} } = await queue.client.getQueueAttributes(request);
    assert.equal(Attributes["VisibilityTimeout"], "600");
    assert.equal(Attributes["FifoQueue"], "true");
    assert.deepEqual(JSON.parse(Attributes["RedrivePolicy"] ?? ""), {
      deadLetterTargetArn: dead.arn,
      maxReceiveCount: 3,
    });
    const standard = await dead.client.getQueueAttributes({ ...request, QueueUrl: dead.url });
    assert.equal("RedrivePolicy" in (standard.Attributes ?? {}), false);
  });
});

describe("ElasticMQ's messages", HANG, () => {
  test("a message has its body, attributes and their checksums, a trace and its group", async () => {
    await using queue = await createPlainQueue("fifo");
    const body = '{"text": "Zürich \u{1f980}\\n",  "n": 1.0}';
    const bytes = Uint8Array.of(0, 255, 1);
    await queue.sendOne({
      MessageBody: body,
      MessageGroupId: "g",
      MessageDeduplicationId: "d",
      MessageAttributes: {
        Title: { DataType: "String", StringValue: "The Whistler" },
        WeeksOn: { DataType: "Number", StringValue: "6" },
        Bytes: { DataType: "Binary", BinaryValue: bytes },
      },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: "Root=1-2-3" } },
    });
    const [message] = await queue.receive();
    assert.equal(message?.Body, body);
    assert.equal(message.MD5OfBody, createHash("md5").update(body).digest("hex"));
    const { SentTimestamp, ApproximateFirstReceiveTimestamp, SenderId, SequenceNumber, ...others } =
      message.Attributes ?? {};
    assert.deepEqual(others, {
      ApproximateReceiveCount: "1",
      MessageGroupId: "g",
      MessageDeduplicationId: "d",
      AWSTraceHeader: "Root=1-2-3",
    });
    for (const time of [SentTimestamp, ApproximateFirstReceiveTimestamp])
      assert.match(time ?? "", /^\d{13}$/);
    // AWS: the sender's account or role, and a number of twenty digits. Here the address, and a count from 0.
    assert.match(SenderId ?? "", /^\S+$/);
    assert.match(SequenceNumber ?? "", /^\d+$/);
    const { Title, WeeksOn, Bytes } = message.MessageAttributes ?? {};
    assert.deepEqual([Title?.DataType, Title?.StringValue], ["String", "The Whistler"]);
    assert.deepEqual([WeeksOn?.DataType, WeeksOn?.StringValue], ["Number", "6"]);
    assert.deepEqual([Bytes?.DataType, Bytes?.BinaryValue], ["Binary", bytes]);
    assert.match(message.MD5OfMessageAttributes ?? "", /^[0-9a-f]{32}$/);
  });

  test("a message without attributes has no checksum of them", async () => {
    await using queue = await createPlainQueue("standard");
    await queue.send("plain");
    const [message] = await queue.receive();
    assert.equal(message?.Body, "plain");
    assert.equal(message.MD5OfMessageAttributes, undefined);
    assert.equal(message.MessageAttributes, undefined);
  });

  test("a message holds a MiB at most", async () => {
    await using queue = await createPlainQueue("standard");
    const mebibyte = "x".repeat(1_048_576);
    await queue.send(mebibyte);
    assert.equal((await queue.receive())[0]?.Body, mebibyte);
    // AWS: `InvalidParameterValue`.
    await assert.rejects(queue.sendOne({ MessageBody: `${mebibyte}x` }), { name: "InvalidAttributeValue" });
  });
});

describe("ElasticMQ's long polling", HANG, () => {
  test("a receive that waits is given what is sent meanwhile", async () => {
    await using queue = await createPlainQueue("standard", LONG);
    const waiting = queue.receive({ waitSeconds: 20 });
    await queue.send("late");
    assert.deepEqual(bodiesAndCounts(await waiting), ["late:1"]);
  });

  test("a receive that waits is given what another releases", async () => {
    await using queue = await createPlainQueue("fifo", LONG);
    await queue.send("a1");
    const held = await queue.receive();
    const waiting = queue.receive({ waitSeconds: 20 });
    await queue.hold(0, ...held);
    assert.deepEqual(bodiesAndCounts(await waiting), ["a1:2"]);
  });

  // So a poller that was stopped or killed takes one more receive's worth of messages for the hold it had asked for,
  // and raises their counts: nothing is lost, but a redrive comes earlier, and a FIFO group waits.
  test("a receive that is aborted rejects, and the server goes on with it: the next message is held for it", async () => {
    await using queue = await createPlainQueue("standard", LONG);
    const abort = new AbortController();
    const waiting = queue.receive({ waitSeconds: 20, holdSeconds: SHORT_SECONDS, signal: abort.signal });
    const rejected = assert.rejects(waiting, { name: "AbortError" });
    // The server has the receive once it answers what came after it.
    await queue.client.listQueues({});
    abort.abort();
    await rejected;
    await queue.send("late");
    assert.deepEqual(bodiesAndCounts(await queue.receiveSoon()), ["late:2"]);
  });
});
