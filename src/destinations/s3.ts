import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createAwsClient } from "../aws/client.ts";
import type { Envelope } from "../model/envelope.ts";
import type { Delivered, Destination } from "../ports/destination.ts";
import { CALL_MS_MAX, callAws, checkReceipt, closed } from "./aws-call.ts";
import { FAILURE_ID_NAME, failureIdText, failureUuid } from "./failure-id.ts";

export interface S3Bucket {
  readonly arn: string;
  readonly bucket: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, …: the second part of the ARN. */
  readonly partition: string;
}

/**
 * Writes each failure record as an object: AWS's document with the event as the text `payload`, under AWS's key
 * (streams §5.7), with the record's id as the metadata `millrace-failure-id`.
 *
 * At least once. A delivery that is tried again overwrites its own object. A record that is discarded anew, after a
 * crash before its checkpoint, has the time of the new discard in its key and so is another object; that both are of
 * one discard shows in the UUID that ends their keys.
 */
export function createS3Destination(bucket: S3Bucket, timeoutMs = CALL_MS_MAX): Destination {
  return new S3Destination(bucket, timeoutMs);
}

/** `<name>-<UUID>`: with an envelope's name of a batch AWS's key (streams §5.7). */
export function objectKey(envelope: Envelope): string {
  return `${envelope.name}-${failureUuid(envelope)}`;
}

class S3Destination implements Destination {
  readonly #bucket: S3Bucket;
  readonly #timeoutMs: number;
  #client: S3Client | undefined;
  #isClosed = false;

  constructor(bucket: S3Bucket, timeoutMs: number) {
    this.#bucket = bucket;
    this.#timeoutMs = timeoutMs;
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<Delivered> {
    const { arn, bucket } = this.#bucket;
    if (this.#isClosed) throw closed(arn);
    const object = {
      Bucket: bucket,
      Key: objectKey(envelope),
      Body: Buffer.from(envelope.text("whole")),
      ContentType: "application/octet-stream",
      Metadata: { [FAILURE_ID_NAME]: failureIdText(envelope) },
    };
    this.#client ??= openClient(this.#bucket);
    const client = this.#client;
    const called = {
      arn,
      action: "s3:PutObject",
      resource: `${arn}/*`,
      endpointVariable: "AWS_ENDPOINT_URL_S3",
    };
    await callAws(called, signal, this.#timeoutMs, async (abortSignal) => {
      const { ETag } = await client.send(new PutObjectCommand(object), { abortSignal });
      checkReceipt(called, ETag);
    });
    return { at: object.Key };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client?.destroy();
  }
}

/** Where to ask first for a bucket when the environment names no region; its answer then names the right one. */
const FIRST_REGIONS: Readonly<Record<string, string>> = {
  "aws-cn": "cn-north-1",
  "aws-us-gov": "us-gov-west-1",
};

export function openClient({ partition }: S3Bucket): S3Client {
  let region: Promise<string> | undefined;
  return createAwsClient(
    {},
    (settings) =>
      new S3Client({
        ...settings,
        region: () => {
          region ??= environmentRegion().catch(() => FIRST_REGIONS[partition] ?? "us-east-1");
          return region;
        },
        // The ARN of a bucket names no region: the bucket's may be another than the environment's.
        followRegionRedirects: true,
        // Emulators know no host names of buckets.
        forcePathStyle: hasEndpointOverride(),
      }),
  );
}

/** By the SDK's own rules, which look into profiles too. Rejects when there is none. */
async function environmentRegion(): Promise<string> {
  const client = new S3Client();
  try {
    return await client.config.region();
  } finally {
    client.destroy();
  }
}

function hasEndpointOverride(): boolean {
  return [process.env["AWS_ENDPOINT_URL_S3"], process.env["AWS_ENDPOINT_URL"]].some(Boolean);
}
