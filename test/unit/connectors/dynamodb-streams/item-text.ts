import type { AttributeValue } from "@aws-sdk/client-dynamodb-streams";

/** An item as DynamoDB writes it: binary values in base64. */
export function itemText(item: Readonly<Record<string, AttributeValue>>): string {
  return JSON.stringify(item, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : bufferAsBase64(value),
  );
}

/** What `Buffer.toJSON` has made of one before it is seen here. */
function bufferAsBase64(value: unknown): unknown {
  const isBuffer = typeof value === "object" && value !== null && "type" in value && "data" in value;
  if (!isBuffer || value.type !== "Buffer" || !Array.isArray(value.data)) return value;
  return Buffer.from(value.data as number[]).toString("base64");
}
