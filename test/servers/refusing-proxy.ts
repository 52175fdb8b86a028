import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

const WRITES = /\.(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;

export interface RefusingProxy extends AsyncDisposable {
  readonly port: number;
  /** Refuses writes as DynamoDB does where a table's capacity is used up. */
  refuseWrites(does: boolean): void;
}

/** Stands before DynamoDB Local, which has no limits of its own. */
export async function startRefusingProxy(serverPort: number): Promise<RefusingProxy> {
  let refuses = false;
  const server = createServer((question, answer) => {
    if (refuses && WRITES.test(String(question.headers["x-amz-target"]))) {
      question.resume();
      answer.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
      const __type = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
      answer.end(
        JSON.stringify({ __type, message: "The level of configured provisioned throughput was exceeded" }),
      );
      return;
    }
    const { method, url, headers } = question;
    const onward = request({ host: "127.0.0.1", port: serverPort, method, path: url, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 500, given.headers);
      given.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    question.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    refuseWrites(does) {
      refuses = does;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
