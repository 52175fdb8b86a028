import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, DeleteTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { startFauxqs } from "./fauxqs.ts";

export const REGION = "eu-west-1";
export const ACCOUNT = "000000000000";

/** The SDK's own environment variables, by which this process and those that it starts call `endpoint` only. */
export function setAwsEnvironment(endpoint: string): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: REGION,
    // No profile of the person who runs the tests.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  });
  delete process.env["AWS_PROFILE"];
}

/** SQS, SNS and S3 of an emulator, as the owner of queues, topics and buckets sees them. */
export class AwsEmulator {
  readonly #server: { close(): Promise<void> };
  readonly #sqs: SQSClient;
  readonly #sns: SNSClient;
  readonly #s3: S3Client;

  /** Sets this process's environment so that the SDK finds the emulator. */
  static async start(): Promise<AwsEmulator> {
    const server = await startFauxqs();
    setAwsEnvironment(server.endpoint);
    return new AwsEmulator(server);
  }

  constructor(server: { close(): Promise<void> }) {
    this.#server = server;
    this.#sqs = new SQSClient({ region: REGION, useQueueUrlAsEndpoint: false });
    this.#sns = new SNSClient({ region: REGION });
    this.#s3 = new S3Client({ region: REGION, forcePathStyle: true });
  }

  async close(): Promise<void> {
    for (const client of [this.#sqs, this.#sns, this.#s3]) client.destroy();
    await this.#server.close();
  }

  /** A name that no other test uses. */
  freshName(): string {
    return `failed-${randomUUID()}`;
  }

  async createQueue(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  }

  async changeQueue(name: string, Attributes: Readonly<Record<string, string>>): Promise<void> {
    const QueueUrl = await this.#queueUrl(name);
    await this.#sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
  }

  /** One after the other. */
  async send(name: string, bodies: readonly string[]): Promise<void> {
    const QueueUrl = await this.#queueUrl(name);
    for (const MessageBody of bodies) await this.#sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }

  /** With attributes of the sender, all of them texts. */
  async sendTraced(
    name: string,
    MessageBody: string,
    texts: Readonly<Record<string, string>>,
  ): Promise<void> {
    const attributes = Object.entries(texts).map(([key, StringValue]) => [
      key,
      { DataType: "String", StringValue },
    ]);
    const MessageAttributes = Object.fromEntries(attributes);
    const QueueUrl = await this.#queueUrl(name);
    await this.#sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
  }

  /** To a FIFO queue with its group. */
  async sendOne(
    name: string,
    { body, group, colour }: { readonly body: string; readonly group?: string; readonly colour?: string },
  ): Promise<void> {
    const QueueUrl = await this.#queueUrl(name);
    const ofGroup =
      group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: randomUUID() };
    const MessageAttributes =
      colour === undefined ? {} : { colour: { DataType: "String", StringValue: colour } };
    await this.#sqs.send(
      new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes, ...ofGroup }),
    );
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#sqs.send(new DeleteQueueCommand({ QueueUrl: await this.#queueUrl(name) }));
  }

  /** What the queue holds and has not shown yet. */
  async receive(name: string): Promise<readonly Message[]> {
    const QueueUrl = await this.#queueUrl(name);
    const request = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] };
    const messages: Message[] = [];
    for (;;) {
      const { Messages = [] } = await this.#sqs.send(new ReceiveMessageCommand(request));
      if (Messages.length === 0) return messages;
      messages.push(...Messages);
    }
  }

  /** With a queue of the same name as its subscriber. */
  async createTopic(name: string): Promise<void> {
    const { TopicArn } = await this.#sns.send(new CreateTopicCommand({ Name: name }));
    const Endpoint = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
    await this.#sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint }));
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#sns.send(new DeleteTopicCommand({ TopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:${name}` }));
  }

  async createBucket(name: string): Promise<void> {
    await this.#s3.send(new CreateBucketCommand({ Bucket: name }));
  }

  async deleteBucket(name: string): Promise<void> {
    await this.#s3.send(new DeleteBucketCommand({ Bucket: name }));
  }

  async putObject(Bucket: string, Key: string, Body: string): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  }

  async objects(bucket: string): Promise<readonly StoredObject[]> {
    const { Contents = [] } = await this.#s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    return await Promise.all(
      Contents.map(async ({ Key = "" }) => {
        const object = await this.#s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
        const body = (await object.Body?.transformToString()) ?? "";
        return { key: Key, body, contentType: object.ContentType, metadata: object.Metadata ?? {} };
      }),
    );
  }

  async #queueUrl(name: string): Promise<string | undefined> {
    return (await this.#sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
  }
}

export interface StoredObject {
  readonly key: string;
  readonly body: string;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}
