import { MillraceError } from "../model/errors.ts";

export type StoreUrl = { readonly kind: "sqlite"; readonly path: string } | { readonly kind: "memory" };

export const DEFAULT_STORE = "sqlite:.millrace/progress.db";

/**
 * Where leases and checkpoints are kept. Paths are relative to the working directory.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function parseStoreUrl(url: string): StoreUrl {
  if (url === "memory:") return { kind: "memory" };
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(url)?.[1];
  if (path !== undefined) return { kind: "sqlite", path };
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `There is no store of the form ${JSON.stringify(url.slice(0, 200))}. Give --store sqlite:PATH or --store memory:.`,
  );
}
