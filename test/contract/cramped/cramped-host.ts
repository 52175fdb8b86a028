import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { MillraceError } from "../../../src/model/errors.ts";
import { openSqliteStore } from "../../../src/stores/sqlite.ts";
import { openSqliteAsyncQueue } from "../../../src/stores/sqlite-async-queue.ts";
import { openSqliteCellStore } from "../../../src/stores/sqlite-cells.ts";
import { openSqliteParkedKeys } from "../../../src/stores/sqlite-parked-keys.ts";
import { openSqliteParkingStore } from "../../../src/stores/sqlite-parking.ts";
import { openSqliteResourceStore } from "../../../src/stores/sqlite-resources.ts";
import { openFailures, openQueue, openStream } from "./cramped-files.ts";

/**
 * A process with SQLite stores whose disk or limits its parent may make too small: no test runner should share them.
 * Asked by messages, each of which is answered once.
 */
export type CrampedKind = keyof typeof OPENERS;

export type CrampedQuestion =
  | { readonly kind: "mount"; readonly sizeBytes: number }
  | { readonly kind: "open"; readonly handle: number; readonly store: CrampedKind }
  | { readonly kind: "call"; readonly handle: number; readonly method: string; readonly values: unknown[] }
  | { readonly kind: "fill" }
  | { readonly kind: "free" }
  | { readonly kind: "remount"; readonly mode: "ro" | "rw" };

export interface CrampedAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: string | undefined; readonly message: string };
}

type Store = Readonly<Record<string, (...values: unknown[]) => Promise<unknown>>>;

const folder = process.argv[2] ?? "";
const path = join(folder, "progress.db");
const filler = join(folder, "filler");
const OPENERS = {
  progress: () => openSqliteStore(path),
  events: () => openSqliteAsyncQueue(path),
  cells: () => openSqliteCellStore(path),
  parking: () => openSqliteParkingStore(path),
  parkedKeys: () => openSqliteParkedKeys(path),
  mappings: () => openSqliteResourceStore(path),
  failures: async () => openFailures(folder),
  stream: async () => openStream(folder),
  queue: async () => openQueue(folder),
};
/** Opened anew after a remount; `undefined`: it could not be. */
const handles = new Map<number, { readonly store: CrampedKind; open: Store | undefined }>();

// A file that would outgrow its limit: the signal's own action ends the process, and the error is what is looked at.
process.on("SIGXFSZ", () => undefined);
process.on(
  "message",
  ({ id, question }: { id: number; question: CrampedQuestion }) => void reply(id, question),
);
process.on("disconnect", () => process.exit());

async function reply(id: number, question: CrampedQuestion): Promise<void> {
  try {
    send({ id, result: await answer(question) });
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : undefined;
    send({ id, error: { code, message: error instanceof Error ? (error.stack ?? "") : String(error) } });
  }
}

function send(reply: CrampedAnswer): void {
  process.send?.(reply);
}

async function answer(question: CrampedQuestion): Promise<unknown> {
  switch (question.kind) {
    case "mount":
      return mount(["-t", "tmpfs", "-o", `size=${question.sizeBytes}`, "tmpfs", folder]);
    case "open":
      return void handles.set(question.handle, {
        store: question.store,
        open: await openStore(question.store),
      });
    case "call":
      return await call(question.handle, question.method, question.values);
    case "fill":
      return fill();
    case "free":
      return rmSync(filler);
    case "remount":
      return await remount(question.mode);
  }
}

async function openStore(store: CrampedKind): Promise<Store> {
  return (await OPENERS[store]()) as unknown as Store;
}

async function call(handle: number, method: string, values: unknown[]): Promise<unknown> {
  const held = handles.get(handle);
  if (held === undefined) throw new Error(`there is no handle ${handle}`);
  held.open ??= await openStore(held.store);
  return await held.open[method]?.(...values);
}

/** Ends at the first write that finds no room: the last bytes go one by one. */
function fill(): void {
  const file = openSync(filler, "w");
  for (const size of [65_536, 4_096, 512, 1]) {
    const block = Buffer.alloc(size, 1);
    while (hasRoom(() => writeSync(file, block)));
  }
  closeSync(file);
}

function hasRoom(write: () => number): boolean {
  try {
    return write() > 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}

/** No file system becomes read-only while a file on it is open for writing. */
async function remount(mode: "ro" | "rw"): Promise<void> {
  for (const held of handles.values()) {
    await held.open?.["close"]?.();
    held.open = undefined;
  }
  mount(["-o", `remount,${mode}`, folder]);
}

function mount(words: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${words.join(" ")}: ${stderr}`);
}
