import type { SampleFile } from "../../src/ports/connector.ts";

const HANDLER = `// Save this file: the next record runs what it says then.
type Event = { Records: { kinesis: { partitionKey: string; data: string } }[] };

export const handler = async ({ Records }: Event) => {
  for (const { kinesis } of Records) {
    const order = JSON.parse(Buffer.from(kinesis.data, "base64").toString());
    if (order.amount === undefined) throw new TypeError(\`no price for order \${order.id}\`);
    console.log(\`order \${order.id} of \${kinesis.partitionKey}: \${order.amount}\`);
  }
};
`;

const MANIFEST = `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { module: { path: ./orders.mts }, timeoutSeconds: 30 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-stream }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:local-1:000000000000:stream/orders
  endpoints: { LOCAL_FILE: [sources.db] } # made when it is not there
  startingPosition: TRIM_HORIZON
  batchSize: 10
  maximumRetryAttempts: 2
  bisectBatchOnFunctionError: true
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }
`;

/** A function and a stream to begin with. */
export const SAMPLE: readonly SampleFile[] = [
  { name: "orders.mts", text: HANDLER },
  { name: "millrace.yaml", text: MANIFEST },
];
