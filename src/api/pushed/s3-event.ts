type Members = Readonly<Record<string, unknown>>;

/**
 * A record of a webhook of MinIO's, or of another store that speaks as S3 does, as S3 hands it to Lambda
 * (invocation §14). `undefined`: it is no such record.
 */
export function s3Record(given: unknown, region: string): Members | undefined {
  const record = members(given);
  const s3 = members(record["s3"]);
  const bucket = members(s3["bucket"]);
  const object = members(s3["object"]);
  const name = text(record["eventName"]).replace(/^s3:/, "");
  if (name === "" || text(bucket["name"]) === "" || text(object["key"]) === "") return undefined;
  const isRemoved = name.startsWith("ObjectRemoved:");
  const response = members(record["responseElements"]);
  return {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: text(record["awsRegion"]) || region,
    eventTime: text(record["eventTime"]),
    eventName: name,
    userIdentity: { principalId: text(members(record["userIdentity"])["principalId"]) },
    requestParameters: { sourceIPAddress: text(members(record["requestParameters"])["sourceIPAddress"]) },
    responseElements: {
      "x-amz-request-id": text(response["x-amz-request-id"]),
      "x-amz-id-2": text(response["x-amz-id-2"]),
    },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: text(s3["configurationId"]),
      bucket: {
        name: text(bucket["name"]),
        ownerIdentity: { principalId: text(members(bucket["ownerIdentity"])["principalId"]) },
        arn: text(bucket["arn"]) || `arn:aws:s3:::${text(bucket["name"])}`,
      },
      object: {
        key: text(object["key"]),
        ...(isRemoved ? {} : { size: Number(object["size"] ?? 0), eTag: text(object["eTag"]) }),
        ...(text(object["versionId"]) === "" ? {} : { versionId: text(object["versionId"]) }),
        sequencer: text(object["sequencer"]),
      },
    },
  };
}

function members(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
