import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { createS3Destination } from "../../src/destinations/s3.ts";
import { createSnsDestination } from "../../src/destinations/sns.ts";
import { createSqsDestination } from "../../src/destinations/sqs.ts";
import type { Destination } from "../../src/ports/destination.ts";
import { setAwsEnvironment } from "./aws-emulator.ts";

export type Service = "sqs" | "sns" | "s3";

export const ARNS: Readonly<Record<Service, string>> = {
  sqs: "arn:aws:sqs:eu-west-1:123456789012:failed",
  sns: "arn:aws:sns:eu-west-1:123456789012:failed",
  s3: "arn:aws:s3:::failed",
};

export interface CannedRequest {
  /** `GetQueueUrl`, `SendMessage`, `Publish`, `PutObject` */
  readonly action: string;
  readonly host: string | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface CannedAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `undefined`: no answer. */
export type Answer = (request: CannedRequest) => CannedAnswer | undefined;

/** A server that answers what a test says, for what no emulator shows. The SDK of this process calls nothing else. */
export async function startCannedAws(
  t: TestContext,
  answer: Answer,
): Promise<{ readonly endpoint: string; readonly requests: readonly CannedRequest[] }> {
  const requests: CannedRequest[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const { headers, url: path = "" } = request;
      const target = headers["x-amz-target"];
      const query = new URLSearchParams(body).get("Action");
      const action = typeof target === "string" ? (target.split(".")[1] ?? "") : (query ?? "PutObject");
      const canned = { action, host: headers.host, path, headers, body };
      requests.push(canned);
      const answered = answer(canned);
      if (answered !== undefined) response.writeHead(answered.status, answered.headers).end(answered.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  setAwsEnvironment(endpoint);
  return { endpoint, requests };
}

/** What a healthy service says. */
export function accepted({ action, body }: CannedRequest): CannedAnswer {
  switch (action) {
    case "GetQueueUrl":
      return { status: 200, body: '{"QueueUrl":"http://sqs.elsewhere.invalid:9/123456789012/failed"}' };
    case "SendMessage":
      return { status: 200, body: JSON.stringify({ MessageId: "1", MD5OfMessageBody: md5(body) }) };
    case "Publish":
      return {
        status: 200,
        body: "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>",
      };
    default:
      return { status: 200, body: "", headers: { etag: '"1"' } };
  }
}

/** As each service words its refusals. */
export function refused(service: Service, status: number, code: string, message = "no"): CannedAnswer {
  switch (service) {
    case "sqs":
      return {
        status,
        body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
        headers: { "x-amzn-requestid": "request-1", "content-type": "application/x-amz-json-1.0" },
      };
    case "sns":
      return {
        status,
        body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
        headers: { "x-amzn-requestid": "request-1" },
      };
    case "s3":
      return {
        status,
        body: `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>request-1</RequestId></Error>`,
        headers: { "x-amz-request-id": "request-1" },
      };
  }
}

export function openDestination(t: TestContext, service: Service, timeoutMs = 10_000): Destination {
  const destination = createDestination(service, timeoutMs);
  t.after(() => destination.close());
  return destination;
}

function createDestination(service: Service, timeoutMs: number): Destination {
  const arn = ARNS[service];
  const region = "eu-west-1";
  switch (service) {
    case "sqs":
      return createSqsDestination({ arn, region, account: "123456789012", queueName: "failed" }, timeoutMs);
    case "sns":
      return createSnsDestination({ arn, region }, timeoutMs);
    case "s3":
      return createS3Destination({ arn, partition: "aws", bucket: "failed" }, timeoutMs);
  }
}

function md5(request: string): string {
  return createHash("md5").update(JSON.parse(request).MessageBody).digest("hex");
}
