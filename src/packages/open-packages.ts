import { dirname, join, resolve } from "node:path";
import type { PackageFolders } from "../ports/package-folders.ts";
import type { PackageStore, StoredPackage } from "../ports/package-store.ts";
import { checkedPackageStore } from "./checked-store.ts";
import { createDirectoryStore } from "./directory-store.ts";
import { archiveOf } from "./folder-archive.ts";
import { openPackageStore } from "./open-package-store.ts";
import { createPackageFolders } from "./package-folders.ts";

export interface PackagePlace {
  /** `dir:PATH`, `s3:BUCKET/PREFIX`, or `off`; `undefined`: beside the file of a store of this host. */
  readonly packages: string | undefined;
  readonly store: { readonly kind: "sqlite"; readonly path: string } | { readonly kind: string };
}

export interface Packages {
  /** Takes what was checked. `undefined`: none is taken, or hosts of the store share no place. */
  readonly store: PackageStore | undefined;
  readonly folders: PackageFolders;
  /** Keeps what a folder or zip of this host has now. `undefined`: hosts of the store share no place for it. */
  readonly keep: ((path: string) => Promise<StoredPackage>) | undefined;
  close(): Promise<void>;
}

const FOLDER = ".millrace";

/** Where packages are kept, and where this host runs them. @throws MillraceError ERR_MILLRACE_CONFIG */
export async function openPackages({ packages, store: place }: PackagePlace): Promise<Packages> {
  const root = resolve("path" in place ? dirname(place.path) : FOLDER, "packages");
  const isOfThisHost = place.kind === "sqlite" || place.kind === "memory";
  const own = isOfThisHost ? createDirectoryStore(join(root, "archives")) : undefined;
  const kept = packages === undefined || packages === "off" ? own : await openPackageStore(packages);
  // What was taken before still runs.
  const checked = kept && checkedPackageStore(kept);
  const store = packages === "off" ? undefined : checked;
  return {
    store,
    folders: createPackageFolders(root, kept ?? createDirectoryStore(join(root, "archives"))),
    keep: checked && (async (path) => await checked.put(await archiveOf(path))),
    close: async () => kept?.close(),
  };
}
