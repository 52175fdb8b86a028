import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";

/** Part of what the server says in its errors; never to be shown. */
export const CANARY = "canary-8f31";

export interface Canned {
  readonly status: number;
  readonly body: object;
}

const TABLE: Canned = {
  status: 200,
  body: {
    Table: {
      TableStatus: "ACTIVE",
      KeySchema: [
        { AttributeName: "millrace", KeyType: "HASH" },
        { AttributeName: "item", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "millrace", AttributeType: "S" },
        { AttributeName: "item", AttributeType: "S" },
      ],
    },
  },
};
const FORMAT: Canned = { status: 200, body: { Item: { version: { N: "2" } } } };

/** What DynamoDB says of a store that is there and well. */
export function healthy(action: string): Canned {
  if (action === "DescribeTable") return TABLE;
  return action === "GetItem" ? FORMAT : { status: 200, body: { Attributes: { handoverTo: { S: "" } } } };
}

export function fault(name: string, status = 400): Canned {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: CANARY } };
}

/** A server that says what no emulator says when it is asked to. */
export async function startCanned(
  t: TestContext,
  answer: (action: string, body: string) => Canned | undefined,
): Promise<{ readonly actions: readonly string[] }> {
  const actions: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
      actions.push(action);
      const canned = answer(action, body);
      if (canned !== undefined) response.writeHead(canned.status).end(JSON.stringify(canned.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  useAwsEnvironment({ AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}` });
  return { actions };
}
