import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { ANSWER_MS_MAX, callAws } from "../aws/call.ts";
import { awsFaultOf } from "../aws/fault.ts";
import { remedyOf } from "../aws/fault-text.ts";
import { MillraceError } from "../model/errors.ts";
import { summaryOf } from "../model/failure-summary.ts";
import type { FailureReader, FoundFailure, KeptFailure, ScanBounds } from "../ports/failure-reader.ts";
import { FAILURE_ID_NAME } from "./failure-id.ts";
import { DOCUMENT_BYTES_MAX, keptFailure } from "./kept-failure.ts";
import { openClient, type S3Bucket } from "./s3.ts";

/** Shards of a mapping, and pages of one, that are looked at. */
const PAGES_MAX = 100_000;

/**
 * Reads the objects of a bucket of failure records, those that AWS wrote too: their keys have the same form (streams
 * §5.7). A place is a key.
 */
export function createS3FailureReader(bucket: S3Bucket): FailureReader {
  return new S3FailureReader(bucket);
}

class S3FailureReader implements FailureReader {
  readonly #bucket: S3Bucket;
  #client: S3Client | undefined;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async read(at: string, signal: AbortSignal): Promise<KeptFailure | undefined> {
    try {
      return await this.#get(at, signal);
    } catch (error) {
      if (error instanceof MillraceError && awsFaultOf(error.cause).code === "NoSuchKey") return undefined;
      throw error;
    }
  }

  async *scan({ mapping, sinceMs, untilMs }: ScanBounds, signal: AbortSignal): AsyncGenerator<FoundFailure> {
    const root = `aws/lambda/${mapping}/`;
    for await (const { shards } of this.#pages({ Prefix: root, Delimiter: "/" }, signal)) {
      for (const shard of shards) yield* this.#scanShard(shard, sinceMs, untilMs, signal);
    }
  }

  async *#scanShard(
    prefix: string,
    sinceMs: number,
    untilMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<FoundFailure> {
    const StartAfter = prefix + dayOf(sinceMs);
    for await (const { keys } of this.#pages({ Prefix: prefix, StartAfter }, signal)) {
      for (const key of keys) {
        if (key.slice(prefix.length, prefix.length + DAY_CHARS) > dayOf(untilMs)) return;
        const kept = await this.read(key, signal);
        const summary = kept && summaryOf(kept.document);
        if (kept === undefined || summary === undefined) continue;
        if (summary.atMs < sinceMs || summary.atMs >= untilMs) continue;
        yield { ...kept, at: key, summary };
      }
    }
  }

  async *#pages(
    wanted: { readonly Prefix: string; readonly Delimiter?: string; readonly StartAfter?: string },
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly keys: readonly string[]; readonly shards: readonly string[] }> {
    let token: string | undefined;
    for (let page = 0; page < PAGES_MAX; page++) {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket.bucket,
        ...wanted,
        ContinuationToken: token,
      });
      const answer = await this.#call("s3:ListBucket", this.#bucket.arn, signal, (client, abortSignal) =>
        client.send(command, { abortSignal }),
      );
      yield {
        keys: (answer.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])),
        shards: (answer.CommonPrefixes ?? []).flatMap(({ Prefix }) => (Prefix === undefined ? [] : [Prefix])),
      };
      token = answer.NextContinuationToken;
      if (answer.IsTruncated !== true || token === undefined) return;
    }
  }

  #get(key: string, signal: AbortSignal): Promise<KeptFailure | undefined> {
    const { arn, bucket } = this.#bucket;
    const command = new GetObjectCommand({ Bucket: bucket, Key: key });
    return this.#call("s3:GetObject", `${arn}/*`, signal, async (client, abortSignal) => {
      const { Body, Metadata, ContentLength = 0 } = await client.send(command, { abortSignal });
      if (ContentLength > DOCUMENT_BYTES_MAX) return undefined;
      const text = (await Body?.transformToString()) ?? "";
      const failureId = Metadata?.[FAILURE_ID_NAME];
      return keptFailure(text, failureId === undefined ? undefined : decodeURI(failureId));
    });
  }

  async #call<Answer>(
    action: string,
    resource: string,
    signal: AbortSignal,
    send: (client: S3Client, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const { arn } = this.#bucket;
    this.#client ??= openClient(this.#bucket);
    const client = this.#client;
    const called = { action, resource, endpointVariable: "AWS_ENDPOINT_URL_S3" };
    try {
      const limits = { timeoutMs: ANSWER_MS_MAX };
      return await callAws(signal, limits, (abortSignal) => send(client, abortSignal));
    } catch (error) {
      if (signal.aborted) throw error;
      const fault = awsFaultOf(error);
      const text = `Failures in ${arn} cannot be read: ${action} failed (${fault.reason}). ${remedyOf(fault, called)}`;
      throw new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", text, {
        cause: error,
        fault: fault.fault,
      });
    }
  }

  async close(): Promise<void> {
    this.#client?.destroy();
  }
}

const DAY_CHARS = "YYYY/MM/DD".length;
/** Beyond any date that a key has. */
const LAST_MS = Date.UTC(9999, 11, 31);

function dayOf(epochMs: number): string {
  const ms = Math.min(Math.max(epochMs, 0), LAST_MS);
  return new Date(ms).toISOString().slice(0, DAY_CHARS).replaceAll("-", "/");
}
