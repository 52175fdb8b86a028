import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { CallTimeout, callAws } from "../aws/call.ts";
import { createAwsClient } from "../aws/client.ts";
import {
  closedStore,
  corruptStore,
  dynamodbError,
  isConditionFailure,
  isRefusedForNow,
  nameOf,
  noAnswer,
} from "./dynamodb-errors.ts";

export interface DynamodbLimits {
  readonly connectMs: number;
  /** For one call with its tries. Less than a lease's ten seconds, so that one lost answer costs no lease. */
  readonly answerMs: number;
  readonly connections: number;
  /** How often a call is made that the service refuses for now, and that therefore did nothing. */
  readonly tries: number;
  /** Before the second try, about; doubles with every further. */
  readonly pauseMs: number;
  /** How long a table may take to be made. */
  readonly creationMs: number;
}

export const DYNAMODB_LIMITS: DynamodbLimits = {
  connectMs: 3_000,
  answerMs: 6_000,
  connections: 50,
  tries: 4,
  pauseMs: 50,
  creationMs: 120_000,
};

export type Item = Record<string, AttributeValue>;

/** The keys' names: a table that has them was made for millrace, and no other will have them. */
export const PARTITION_KEY = "millrace";
export const SORT_KEY = "item";
const CREATION_POLL_MS = 300;

const NEVER = new AbortController().signal;

export type SendOptions = { readonly abortSignal: AbortSignal };

/** A table with millrace's items. What fails is in the error catalogue, but for conditions that do not hold. */
export class DynamodbTable {
  readonly name: string;
  readonly #client: DynamoDBClient;
  readonly #limits: DynamodbLimits;
  #isClosed = false;

  private constructor(name: string, client: DynamoDBClient, limits: DynamodbLimits) {
    this.name = name;
    this.#client = client;
    this.#limits = limits;
  }

  /**
   * Makes the table when it does not exist; what is in it, `openDynamodbTable` looks at. Any number of processes may do
   * so at once. Region, endpoint and credentials are the SDK's own business.
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT
   */
  static async open(name: string, limits: DynamodbLimits): Promise<DynamodbTable> {
    const { connectMs, connections } = limits;
    const client = createAwsClient({ connectMs, connections }, (settings) => new DynamoDBClient(settings));
    const table = new DynamodbTable(name, client, limits);
    try {
      checkKeys(name, await table.#prepare());
      return table;
    } catch (error) {
      table.close();
      throw error;
    }
  }

  /**
   * Makes one call. What the service refused for now is sent again; what may have taken effect is not.
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE; the service's own error when a condition did not hold
   */
  async send<Output>(
    action: string,
    request: (client: DynamoDBClient, options: SendOptions) => Promise<Output>,
  ): Promise<Output> {
    const called = { table: this.name, action: `dynamodb:${action}` };
    if (this.#isClosed) throw closedStore(this.name);
    const { answerMs: timeoutMs, tries, pauseMs } = this.#limits;
    const limits = { timeoutMs, retry: { tries, pauseMs, again: isRefusedForNow } };
    try {
      return await callAws(NEVER, limits, (abortSignal) => request(this.#client, { abortSignal }));
    } catch (error) {
      if (error instanceof CallTimeout) throw noAnswer(called, timeoutMs);
      throw isConditionFailure(error) ? error : dynamodbError(called, error);
    }
  }

  /** As `send`, but `undefined` when a condition did not hold. */
  async sendIf<Output>(
    action: string,
    request: (client: DynamoDBClient, options: SendOptions) => Promise<Output>,
  ): Promise<Output | undefined> {
    try {
      return await this.send(action, request);
    } catch (error) {
      if (isConditionFailure(error)) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#client.destroy();
  }

  async #prepare(): Promise<TableDescription> {
    const giveUpAt = performance.now() + this.#limits.creationMs;
    for (;;) {
      const description = await this.#describe();
      const status = description?.TableStatus;
      if (description !== undefined && status !== "CREATING" && status !== "DELETING") return description;
      if (description === undefined) await this.#create();
      if (performance.now() >= giveUpAt)
        throw noAnswer({ table: this.name, action: "dynamodb:CreateTable" }, this.#limits.creationMs);
      await pause(CREATION_POLL_MS);
    }
  }

  async #describe(): Promise<TableDescription | undefined> {
    return await this.send("DescribeTable", async (client, options) => {
      try {
        return (await client.send(new DescribeTableCommand({ TableName: this.name }), options)).Table;
      } catch (error) {
        if (nameOf(error) === "ResourceNotFoundException") return undefined;
        throw error;
      }
    });
  }

  async #create(): Promise<void> {
    const request = new CreateTableCommand({
      TableName: this.name,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: PARTITION_KEY, KeyType: "HASH" },
        { AttributeName: SORT_KEY, KeyType: "RANGE" },
      ],
      AttributeDefinitions: [PARTITION_KEY, SORT_KEY].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S",
      })),
    });
    await this.send("CreateTable", async (client, options) => {
      try {
        await client.send(request, options);
      } catch (error) {
        // Another process was faster.
        if (nameOf(error) !== "ResourceInUseException") throw error;
      }
    });
  }
}

function checkKeys(name: string, { KeySchema = [], AttributeDefinitions = [] }: TableDescription): void {
  const keys = KeySchema.map(({ AttributeName, KeyType }) => {
    const type = AttributeDefinitions.find((each) => each.AttributeName === AttributeName)?.AttributeType;
    return `${AttributeName} ${type} ${KeyType}`;
  });
  if (keys.join() === `${PARTITION_KEY} S HASH,${SORT_KEY} S RANGE`) return;
  throw corruptStore(
    name,
    "is not a progress store of millrace: its keys are others",
    "Name a table that millrace made, or one that does not exist yet (--store dynamodb:TABLE)",
  );
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
