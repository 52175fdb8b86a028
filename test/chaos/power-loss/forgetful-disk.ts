import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const SOURCE = join(import.meta.dirname, "forgetful-disk.c");

/** `undefined`: there is no compiler of C here, or none that makes libraries. */
export function compileForgetfulDisk(folder: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  const library = join(folder, "forgetful-disk.so");
  const { status } = spawnSync("cc", ["-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]);
  return status === 0 ? library : undefined;
}

export interface DiskStep {
  readonly kind: "write" | "sync" | "truncate" | "unlink";
  /** Its name in the folder. */
  readonly file: string;
  /** Where, or how long the file is to be. */
  readonly offset: number;
  readonly bytes: Buffer;
}

const KINDS = [undefined, "write", "sync", "truncate", "unlink"] as const;
const HEAD_BYTES = 24;

/** What the process asked of its files, in its order. */
export function readDiskNotes(path: string): readonly DiskStep[] {
  const notes = readFileSync(path);
  const steps: DiskStep[] = [];
  for (let at = 0; at + HEAD_BYTES <= notes.length; ) {
    const kind = KINDS[notes.readUInt32LE(at)];
    const pathBytes = notes.readUInt32LE(at + 4);
    const [offset, bytes] = [notes.readBigUInt64LE(at + 8), notes.readBigUInt64LE(at + 16)].map(Number);
    if (kind === undefined || offset === undefined || bytes === undefined)
      throw new Error(`no note at ${at}`);
    const from = at + HEAD_BYTES + pathBytes;
    const file = basename(notes.toString("utf8", at + HEAD_BYTES, from));
    steps.push({ kind, file, offset, bytes: notes.subarray(from, from + bytes) });
    at = from + bytes;
  }
  return steps;
}

/** A disk that has of each file what was written before its last sync, and nothing of what came behind. */
export class ForgetfulDisk {
  readonly #durable = new Map<string, Buffer>();
  readonly #pending = new Map<string, DiskStep[]>();

  do(step: DiskStep): void {
    const { kind, file } = step;
    if (kind === "unlink") {
      this.#durable.delete(file);
      this.#pending.delete(file);
    } else if (kind === "sync") {
      for (const each of this.#pending.get(file) ?? []) this.#apply(each);
      this.#pending.delete(file);
    } else this.#pending.set(file, [...(this.#pending.get(file) ?? []), step]);
  }

  /** What is found when the power is back. */
  restoreTo(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const [file, bytes] of this.#durable)
      if (!file.endsWith("-shm")) writeFileSync(join(folder, file), bytes);
  }

  #apply({ kind, file, offset, bytes }: DiskStep): void {
    const before = this.#durable.get(file) ?? Buffer.alloc(0);
    const size = kind === "truncate" ? offset : Math.max(before.length, offset + bytes.length);
    const after = size === before.length ? before : Buffer.concat([before.subarray(0, size)], size);
    bytes.copy(after, offset);
    this.#durable.set(file, after);
  }
}
