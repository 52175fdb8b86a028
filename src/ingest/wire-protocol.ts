import { ProducerFault } from "./producer-fault.ts";

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const UNSUPPORTED = 415;

/** What the two clients say that are not served, with the setting that has them speak JSON. */
const CBOR =
  "millrace speaks JSON, not CBOR. Set AWS_CBOR_DISABLE=true (Java SDK 1: -Dcom.amazonaws.sdk.disableCbor=true; " +
  "Java SDK 2: CBOR_ENABLED=false or -Daws.cborEnabled=false).";
const QUERY =
  "millrace speaks AWS's JSON protocol, not the old Query protocol of SQS. Use a client that speaks it: boto3 1.28.82, " +
  "AWS CLI 1.29.82 or 2.13.33, JavaScript SDK 3.447, Java SDK 2.21.19 or 1.12.585, Go SDK 2 sqs 1.28, or a later one. " +
  "Without a client, send the header Content-Type: application/x-amz-json-1.0 and X-Amz-Target: AmazonSQS.SendMessage.";

/** `undefined`: it speaks JSON. */
export function protocolFault(headers: Headers): ProducerFault | undefined {
  const [type = ""] = headerOf(headers, "content-type").split(";");
  const name = type.trim().toLowerCase();
  const protocol = headerOf(headers, "smithy-protocol").toLowerCase();
  if (/\bcbor\b/.test(name) || name.includes("cbor") || protocol.includes("cbor"))
    return new ProducerFault("UnsupportedMediaTypeException", CBOR, { status: UNSUPPORTED });
  if (name === "application/x-www-form-urlencoded" || headerOf(headers, "x-amz-target") === "")
    return new ProducerFault("UnsupportedMediaTypeException", QUERY, { status: UNSUPPORTED });
  if (name === "" || /^application\/(?:x-amz-json-1\.[01]|json)$/.test(name)) return undefined;
  const message =
    "The content type of the body is to be application/x-amz-json-1.0 or application/x-amz-json-1.1.";
  return new ProducerFault("UnsupportedMediaTypeException", message, { status: UNSUPPORTED });
}

export function headerOf(headers: Headers, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : (value?.join(",") ?? "");
}
