import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { callAws } from "../aws/call.ts";
import { createAwsClient } from "../aws/client.ts";
import { awsFaultOf } from "../aws/fault.ts";
import { remedyOf } from "../aws/fault-text.ts";
import { MillraceError } from "../model/errors.ts";
import type { PackageStore, StoredPackage } from "../ports/package-store.ts";
import { contentHash, isContentHash } from "./content-hash.ts";
import { checkContent } from "./directory-store.ts";
import { sweepUnneeded, type UnneededMarks } from "./unneeded-marks.ts";

export interface S3Place {
  readonly bucket: string;
  /** Begins all keys. It is empty, or ends with a slash. */
  readonly prefix: string;
}

/** An archive of 50 MB on a slow line. */
const CALL_MS_MAX = 120_000;
const SUFFIX = ".zip";
const MARK = ".unneeded";
const PAGES_MAX = 1000;

/** Archives as objects `<prefix><sha256>.zip`. */
export function createS3PackageStore(place: S3Place): PackageStore {
  return new S3PackageStore(place);
}

class S3PackageStore implements PackageStore {
  readonly #place: S3Place;
  readonly #client: S3Client;

  constructor(place: S3Place) {
    this.#place = place;
    this.#client = createAwsClient(
      {},
      (settings) =>
        new S3Client({
          ...settings,
          followRegionRedirects: true,
          // Emulators know no host names of buckets.
          forcePathStyle: [process.env["AWS_ENDPOINT_URL_S3"], process.env["AWS_ENDPOINT_URL"]].some(Boolean),
        }),
    );
  }

  async put(archive: Uint8Array): Promise<StoredPackage> {
    const sha256 = contentHash(archive);
    await this.#marks().clear(sha256);
    const there = await this.#headBytes(`${sha256}${SUFFIX}`);
    if (there !== archive.length) await this.#write(`${sha256}${SUFFIX}`, archive, "application/zip");
    return { sha256, bytes: archive.length };
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    if (!isContentHash(sha256)) return undefined;
    const bytes = await this.#read(`${sha256}${SUFFIX}`);
    if (bytes !== undefined) checkContent(this.#url, sha256, bytes);
    return bytes;
  }

  async sweep(needed: ReadonlySet<string>, nowMs: number): Promise<readonly string[]> {
    const kept = (await this.#keys())
      .filter((key) => key.endsWith(SUFFIX))
      .map((key) => key.slice(this.#place.prefix.length, -SUFFIX.length))
      .filter(isContentHash);
    return await sweepUnneeded(kept, needed, nowMs, this.#marks(), (name) =>
      this.#delete(`${name}${SUFFIX}`),
    );
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  get #url(): string {
    return `s3://${this.#place.bucket}/${this.#place.prefix}`;
  }

  #marks(): UnneededMarks {
    return {
      read: async (name) => {
        const bytes = await this.#read(`${name}${MARK}`);
        return bytes && Buffer.from(bytes).toString();
      },
      write: (name, text) => this.#write(`${name}${MARK}`, Buffer.from(text), "text/plain"),
      clear: (name) => this.#delete(`${name}${MARK}`),
    };
  }

  #object(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: `${this.#place.prefix}${name}` };
  }

  async #write(name: string, Body: Uint8Array, ContentType: string): Promise<void> {
    const command = new PutObjectCommand({ ...this.#object(name), Body, ContentType });
    await this.#call("s3:PutObject", (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async #delete(name: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#object(name));
    await this.#call("s3:DeleteObject", (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  #read(name: string): Promise<Uint8Array | undefined> {
    const command = new GetObjectCommand(this.#object(name));
    return this.#ifThere("s3:GetObject", async (abortSignal) => {
      const { Body } = await this.#client.send(command, { abortSignal });
      return Body === undefined ? undefined : await Body.transformToByteArray();
    });
  }

  #headBytes(name: string): Promise<number | undefined> {
    const command = new HeadObjectCommand(this.#object(name));
    return this.#ifThere("s3:GetObject", async (abortSignal) => {
      return (await this.#client.send(command, { abortSignal })).ContentLength;
    });
  }

  async #keys(): Promise<readonly string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    for (let page = 0; page < PAGES_MAX; page++) {
      const command = new ListObjectsV2Command({
        Bucket: this.#place.bucket,
        Prefix: this.#place.prefix,
        ContinuationToken: token,
      });
      const answer = await this.#call("s3:ListBucket", (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      keys.push(...(answer.Contents ?? []).flatMap(({ Key }) => Key ?? []));
      token = answer.NextContinuationToken;
      if (answer.IsTruncated !== true || token === undefined) break;
    }
    return keys;
  }

  async #ifThere<Answer>(
    action: string,
    send: (signal: AbortSignal) => Promise<Answer | undefined>,
  ): Promise<Answer | undefined> {
    try {
      return await this.#call(action, send);
    } catch (error) {
      const code = error instanceof MillraceError ? awsFaultOf(error.cause).code : undefined;
      if (code === "NoSuchKey" || code === "NotFound") return undefined;
      throw error;
    }
  }

  async #call<Answer>(action: string, send: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    try {
      return await callAws(new AbortController().signal, { timeoutMs: CALL_MS_MAX }, send);
    } catch (error) {
      const fault = awsFaultOf(error);
      const resource = `arn:aws:s3:::${this.#place.bucket}/${this.#place.prefix}*`;
      const called = { action, resource, endpointVariable: "AWS_ENDPOINT_URL_S3" };
      throw new MillraceError(
        "ERR_MILLRACE_STORE_UNAVAILABLE",
        `The packages in ${this.#url} cannot be used: ${action} failed (${fault.reason}). ${remedyOf(fault, called)}`,
        { cause: error, fault: fault.fault },
      );
    }
  }
}
