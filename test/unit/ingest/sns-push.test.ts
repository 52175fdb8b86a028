import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { readSnsMessage, signedText } from "../../../src/ingest/sns/sns-message.ts";
import { SnsPush } from "../../../src/ingest/sns/sns-push.ts";
import { SIGNING_CERTIFICATE, SIGNING_KEY } from "../../fixtures/signing-certificate.ts";
import { FunctionApi } from "../api/function-api.ts";

const TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders";
const HOST = "https://sns.eu-west-1.amazonaws.com";
const NOW_MS = Date.parse("2027-01-31T12:00:00Z");

const NOTIFICATION = {
  Type: "Notification",
  MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  TopicArn: TOPIC,
  Subject: "My First Message",
  Message: "Hello world!",
  Timestamp: "2027-01-31T11:59:00.000Z",
  SignatureVersion: "1",
  SigningCertURL: `${HOST}/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem`,
  UnsubscribeURL: `${HOST}/?Action=Unsubscribe&SubscriptionArn=${TOPIC}:c9135db0`,
  MessageAttributes: { store: { Type: "String", Value: "a" } },
};

const CONFIRMATION = {
  Type: "SubscriptionConfirmation",
  MessageId: "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
  Token: "2336412f37",
  TopicArn: TOPIC,
  Message: "You have chosen to subscribe to the topic.",
  SubscribeURL: `${HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f37`,
  Timestamp: "2027-01-31T11:59:00.000Z",
  SignatureVersion: "2",
  SigningCertURL: NOTIFICATION.SigningCertURL,
};

type Members = Readonly<Record<string, unknown>>;

/** As SNS would send it. */
function signed(members: Members, key: string = SIGNING_KEY): Buffer {
  const unsigned = readSnsMessage(Buffer.from(JSON.stringify({ Signature: "", ...members })));
  const digest = members["SignatureVersion"] === "2" ? "RSA-SHA256" : "RSA-SHA1";
  const text = unsigned === undefined ? "" : signedText(unsigned);
  const signature = sign(digest, Buffer.from(text), key).toString("base64");
  return Buffer.from(JSON.stringify({ ...members, Signature: signature }));
}

class Sender {
  readonly asked: string[] = [];
  readonly told: string[] = [];
  nowMs = NOW_MS;
  /** What hosts answer. */
  answer: (url: URL) => string | undefined = (url) =>
    url.pathname.endsWith(".pem") ? SIGNING_CERTIFICATE : "<ok/>";
  readonly push: SnsPush;

  constructor(listed: readonly string[] = [], topicArn = TOPIC) {
    this.push = new SnsPush({
      declared: [{ functionName: "orders", topicArn }],
      listed,
      get: async (url) => {
        this.asked.push(url.href);
        const answer = this.answer(url);
        return answer === undefined ? undefined : Buffer.from(answer);
      },
      clock: { now: () => this.nowMs, monotonic: () => this.nowMs },
      log: (_level, message) => void this.told.push(message),
    });
  }

  take(body: Buffer, headers: Readonly<Record<string, string>> = {}) {
    return this.push.take("orders", headers, body);
  }

  async refusal(body: Buffer, headers: Readonly<Record<string, string>> = {}) {
    const taken = await this.take(body, headers);
    return taken.kind === "refused" ? `${taken.status} ${taken.message}` : taken.kind;
  }
}

test("what is signed is the members in AWS's order, each with its name", () => {
  const message = readSnsMessage(Buffer.from(JSON.stringify({ ...NOTIFICATION, Signature: "x" })));
  assert.equal(
    message && signedText(message),
    `Message\nHello world!\nMessageId\n${NOTIFICATION.MessageId}\nSubject\nMy First Message\n` +
      `Timestamp\n${NOTIFICATION.Timestamp}\nTopicArn\n${TOPIC}\nType\nNotification\n`,
  );
  const { Subject: _left, ...bare } = NOTIFICATION;
  const other = readSnsMessage(Buffer.from(JSON.stringify({ ...bare, Signature: "x" })));
  assert.doesNotMatch((other && signedText(other)) ?? "Subject", /Subject/);
});

for (const version of ["1", "2"]) {
  test(`a notification with a signature of version ${version} becomes Lambda's event`, async () => {
    const sender = new Sender();
    const body = signed({ ...NOTIFICATION, SignatureVersion: version });
    const taken = await sender.take(body, { "x-amz-sns-subscription-arn": `${TOPIC}:c9135db0` });
    assert.equal(taken.kind, "event");
    assert.deepEqual(JSON.parse(taken.kind === "event" ? taken.event : ""), {
      Records: [
        {
          EventSource: "aws:sns",
          EventVersion: "1.0",
          EventSubscriptionArn: `${TOPIC}:c9135db0`,
          Sns: {
            Type: "Notification",
            MessageId: NOTIFICATION.MessageId,
            TopicArn: TOPIC,
            Subject: "My First Message",
            Message: "Hello world!",
            Timestamp: NOTIFICATION.Timestamp,
            SignatureVersion: version,
            Signature: JSON.parse(body.toString()).Signature,
            SigningCertUrl: NOTIFICATION.SigningCertURL,
            UnsubscribeUrl: NOTIFICATION.UnsubscribeURL,
            MessageAttributes: { store: { Type: "String", Value: "a" } },
          },
        },
      ],
    });
    assert.deepEqual(sender.asked, [NOTIFICATION.SigningCertURL]);
  });
}

test("a subscription is confirmed at its own host, and no host is asked before the signature was looked at", async () => {
  const sender = new Sender();
  assert.equal((await sender.take(signed(CONFIRMATION))).kind, "done");
  assert.deepEqual(sender.asked, [CONFIRMATION.SigningCertURL, CONFIRMATION.SubscribeURL]);
  assert.deepEqual(sender.told, ["a subscription of SNS is confirmed"]);
});

test("the end of a subscription is told, and nothing is asked to take it up again", async () => {
  const sender = new Sender();
  assert.equal(
    (await sender.take(signed({ ...CONFIRMATION, Type: "UnsubscribeConfirmation" }))).kind,
    "done",
  );
  assert.deepEqual(sender.asked, [CONFIRMATION.SigningCertURL]);
});

const { privateKey: STRANGER } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

/** Each is refused for good, and nobody but SNS's own host is asked for anything. */
const FORGED: readonly (readonly [title: string, body: Buffer, refusal: RegExp])[] = [
  ["by another key", signed(NOTIFICATION, STRANGER), /^403 The signature/],
  ["whose text was changed", tampered(NOTIFICATION, { Message: "Hello thief!" }), /^403 The signature/],
  ["whose subject was taken away", tampered(NOTIFICATION, { Subject: undefined }), /^403 The signature/],
  [
    "without a signature",
    Buffer.from(JSON.stringify({ ...NOTIFICATION, Signature: "" })),
    /^403 The signature/,
  ],
  [
    "of a notification as a confirmation",
    tampered(NOTIFICATION, { ...CONFIRMATION, SignatureVersion: "1" }),
    /^403/,
  ],
  ["of another version", signed({ ...NOTIFICATION, SignatureVersion: "3" }), /^403 SignatureVersion/],
  [
    "of a version that all objects have",
    signed({ ...NOTIFICATION, SignatureVersion: "constructor" }),
    /^403 Sig/,
  ],
  ["of another topic", signed({ ...NOTIFICATION, TopicArn: `${TOPIC}2` }), /^403 The message is of a topic/],
  [
    "of last month",
    signed({ ...NOTIFICATION, Timestamp: "2026-12-31T11:59:00.000Z" }),
    /^403 The message is older/,
  ],
  [
    "from the future",
    signed({ ...NOTIFICATION, Timestamp: "2027-01-31T12:06:00.000Z" }),
    /^403 The message is older/,
  ],
  ["of no time", signed({ ...NOTIFICATION, Timestamp: "soon" }), /^403 The message is older/],
  ["that is no message", Buffer.from('{"Type":"Notification"}'), /^400/],
];

function tampered(members: Members, change: Members): Buffer {
  const { Signature } = JSON.parse(signed(members).toString());
  return Buffer.from(JSON.stringify({ ...members, ...change, Signature }));
}

for (const [title, body, refusal] of FORGED) {
  test(`a message is refused: ${title}`, async () => {
    const sender = new Sender();
    assert.match(await sender.refusal(body), refusal);
    assert.ok(sender.asked.every((url) => url === NOTIFICATION.SigningCertURL));
  });
}

const FOREIGN_URLS: readonly string[] = [
  "http://sns.eu-west-1.amazonaws.com/a.pem",
  "https://sns.eu-west-1.amazonaws.com.evil.com/a.pem",
  "https://sns.eu-west-1.amazonaws.com@evil.com/a.pem",
  "https://evil@sns.eu-west-1.amazonaws.com/a.pem",
  "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
  "https://sns.us-east-1.amazonaws.com/a.pem",
  "https://sns.eu-west-1.amazonaws.com.cn/a.pem",
  "https://s3.eu-west-1.amazonaws.com/sns.eu-west-1.amazonaws.com/a.pem",
  "https://sns-eu-west-1.amazonaws.com/a.pem",
  "https://sns.eu-west-1.amazonaws.com./a.pem",
  "https://sns.eu-west-1.amazonaws.com/a.pem?x=1",
  "https://sns.eu-west-1.amazonaws.com/a.pem#b",
  "https://sns.eu-west-1.amazonaws.com/a.txt",
  "https://127.0.0.1/a.pem",
  "https://169.254.169.254/a.pem",
  "https://[::1]/a.pem",
  "https://2130706433/a.pem",
  "https://localhost/a.pem",
  "file:///etc/a.pem",
  "a.pem",
  "",
];

for (const url of FOREIGN_URLS) {
  test(`a certificate is not asked for at ${JSON.stringify(url)}`, async () => {
    const sender = new Sender();
    assert.match(
      await sender.refusal(signed({ ...NOTIFICATION, SigningCertURL: url })),
      /^403 SigningCertURL/,
    );
    assert.deepEqual(sender.asked, []);
  });
}

for (const url of [
  `https://evil.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}`,
  `${HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}2`,
  `${HOST}/?Action=DeleteTopic&TopicArn=${TOPIC}`,
  `http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}`,
]) {
  test(`no subscription is confirmed at ${url}, though the message is signed`, async () => {
    const sender = new Sender();
    assert.match(await sender.refusal(signed({ ...CONFIRMATION, SubscribeURL: url })), /^403 SubscribeURL/);
    assert.deepEqual(sender.asked, [CONFIRMATION.SigningCertURL]);
  });
}

test("a topic of China is signed at its own host", async () => {
  const topic = "arn:aws-cn:sns:cn-north-1:123456789012:orders";
  const sender = new Sender([], topic);
  const at = "https://sns.cn-north-1.amazonaws.com.cn/a.pem";
  assert.equal(
    (await sender.take(signed({ ...NOTIFICATION, TopicArn: topic, SigningCertURL: at }))).kind,
    "event",
  );
});

test("a sender of one's own signs at the host that is listed, with its port, and at no other", async () => {
  const sender = new Sender(["sns.internal:8443"]);
  const at = (url: string) => signed({ ...NOTIFICATION, SigningCertURL: url });
  assert.equal((await sender.take(at("https://sns.internal:8443/a.pem"))).kind, "event");
  assert.match(await sender.refusal(at("https://sns.internal/a.pem")), /^403/);
  assert.match(await sender.refusal(at("http://sns.internal:8443/a.pem")), /^403/);
});

test("a message that comes again is answered, and handed over once; one that was not is handed over later", async () => {
  const sender = new Sender();
  const body = signed(NOTIFICATION);
  assert.equal((await sender.take(body)).kind, "event");
  const taken = await sender.take(body);
  if (taken.kind === "event") taken.handedOver();
  assert.equal((await sender.take(body)).kind, "done");
  assert.equal(sender.asked.length, 1);
});

test("forged messages have SNS asked for few certificates, and no more once some are missing", async () => {
  const sender = new Sender();
  sender.answer = () => undefined;
  for (let number = 0; number < 50; number++) {
    const body = signed({ ...NOTIFICATION, SigningCertURL: `${HOST}/${number}.pem` });
    assert.match(await sender.refusal(body), /^503/);
  }
  assert.equal(sender.asked.length, 8);
  sender.nowMs += 31_000;
  sender.answer = () => SIGNING_CERTIFICATE;
  assert.equal((await sender.take(signed(NOTIFICATION))).kind, "event");
});

test("what is no certificate signs nothing", async () => {
  const sender = new Sender();
  sender.answer = () => "<html></html>";
  assert.match(await sender.refusal(signed(NOTIFICATION)), /^503/);
});

test("a message of another topic is none of a declared one, however its lines are read", async () => {
  const own = "arn:aws:sns:eu-west-1:999999999999:mallory";
  const victims = `${TOPIC}-eu`;
  const sender = new Sender([], `${TOPIC}*`);
  // SNS has signed this for its topic: whoever publishes there says what stands in it.
  const published = {
    ...NOTIFICATION,
    TopicArn: own,
    Subject: undefined,
    Message: `evil\nMessageId\n1\nTimestamp\n${NOTIFICATION.Timestamp}\nTopicArn\n${victims}\nType\nNotification`,
  };
  const { Signature } = JSON.parse(signed(published).toString()) as { readonly Signature: string };
  const rest = `MessageId\n${NOTIFICATION.MessageId}\nTimestamp\n${NOTIFICATION.Timestamp}\nTopicArn\n${own}`;
  const forged = {
    ...NOTIFICATION,
    Subject: undefined,
    Message: "evil",
    MessageId: "1",
    TopicArn: `${victims}\nType\nNotification\n${rest}`,
    Signature,
  };
  assert.match(await sender.refusal(Buffer.from(JSON.stringify(forged))), /^400 The body is no message/);
  const honest = signed({ ...NOTIFICATION, TopicArn: victims });
  assert.equal((await sender.take(honest)).kind, "event");
});

test("a raw delivery, which nobody has signed, is refused where no credentials are asked for", async () => {
  const sender = new Sender();
  assert.match(
    await sender.refusal(Buffer.from("hello"), { "x-amz-sns-rawdelivery": "true" }),
    /^403 A raw delivery/,
  );
});

test("by HTTP a notification is one asynchronous event, and what is too large is refused", async (t) => {
  const { push } = new Sender();
  const api = await FunctionApi.start(t, { signedPush: push });
  const { status } = await api.ask(
    "POST",
    "/millrace/v1/sns/orders",
    JSON.parse(signed(NOTIFICATION).toString()),
  );
  assert.equal(status, 202);
  assert.equal(api.world.events.accepted[0]?.lane, "f:orders");
  const again = await api.ask("POST", "/millrace/v1/sns/orders", JSON.parse(signed(NOTIFICATION).toString()));
  assert.deepEqual([again.status, api.world.events.accepted.length], [200, 1]);
  const large = { ...NOTIFICATION, Message: "x".repeat(1024 * 1024) };
  assert.equal((await api.ask("POST", "/millrace/v1/sns/orders", large)).status, 413);
  assert.equal((await api.ask("POST", "/millrace/v1/sns/parcels", NOTIFICATION)).status, 404);
});

test("a raw message is the text of an event, with what its headers say", async (t) => {
  const { push } = new Sender();
  const event = JSON.parse(
    push.bare({ "x-amz-sns-topic-arn": TOPIC, "x-amz-sns-message-id": "m1" }, Buffer.from("hello")),
  );
  assert.deepEqual(
    [event.Records[0].Sns.Message, event.Records[0].Sns.TopicArn, event.Records[0].Sns.MessageId],
    ["hello", TOPIC, "m1"],
  );
  const api = await FunctionApi.start(t, { signedPush: push });
  assert.equal((await api.ask("POST", "/millrace/v1/sns/orders/raw", { hello: 1 })).status, 202);
});
