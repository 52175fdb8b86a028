import { resolve } from "node:path";
import { MillraceError } from "../model/errors.ts";
import type { PackageStore } from "../ports/package-store.ts";
import { createDirectoryStore } from "./directory-store.ts";

const S3_URL = /^s3:(?:\/\/)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/** `dir:PATH` or `s3:BUCKET/PREFIX`. @throws MillraceError ERR_MILLRACE_CONFIG */
export async function openPackageStore(url: string): Promise<PackageStore> {
  const path = /^dir:(.+)$/.exec(url)?.[1];
  if (path !== undefined) return createDirectoryStore(resolve(path));
  const [, bucket, prefix = ""] = S3_URL.exec(url) ?? [];
  if (bucket === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `--packages is ${JSON.stringify(url.slice(0, 200))}. Give dir:PATH, a folder that all hosts share, s3:BUCKET/PREFIX, or off.`,
    );
  }
  const { createS3PackageStore } = await import("./s3-store.ts");
  return createS3PackageStore({
    bucket,
    prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`,
  });
}
