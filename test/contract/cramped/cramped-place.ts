import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CODES, MillraceError } from "../../../src/model/errors.ts";
import type { AsyncQueue } from "../../../src/ports/async-queue.ts";
import type { CellStore } from "../../../src/ports/cell-store.ts";
import type { ParkedKeyStore } from "../../../src/ports/parked-keys.ts";
import type { ParkingStore } from "../../../src/ports/parking-store.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import type { ResourceStore } from "../../../src/ports/resource-store.ts";
import type { CrampedFailureFile, CrampedQueue, CrampedStream } from "./cramped-files.ts";
import type { CrampedAnswer, CrampedKind, CrampedQuestion } from "./cramped-host.ts";

/** What a disk can do to a store. */
export const DISK_FAULTS = ["full disk", "failing disk", "read-only file system"] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];

const HOST = fileURLToPath(new URL("cramped-host.ts", import.meta.url));
const DISK_BYTES = 2 * 1024 * 1024;
/**
 * No file may grow, and what lies behind this cannot be written again: the kernel's EFBIG is an I/O error to SQLite.
 */
const FILE_BYTES_MAX = 1;

/**
 * Words before a command that give it mounts of its own: root's, or a user's who may make a namespace. `undefined`:
 * nobody may mount here. Then a limit on the size of files stands for every fault: writes fail in another way, and
 * fail.
 */
const OWN_MOUNTS = [
  ["unshare", "-m"],
  ["unshare", "-rm"],
].find(
  ([command = "", ...words]) =>
    spawnSync(command, [...words, "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0,
);

/** A folder on a disk of its own with SQLite stores in it, served by a process of its own. */
export class CrampedPlace implements AsyncDisposable {
  readonly #folder: string;
  readonly #host: ChildProcess;
  readonly #fault: DiskFault;
  readonly #waiting = new Map<number, (answer: CrampedAnswer) => void>();
  #asked = 0;
  #handles = 0;

  private constructor(folder: string, host: ChildProcess, fault: DiskFault) {
    this.#folder = folder;
    this.#host = host;
    this.#fault = fault;
    host.on("message", (answer: CrampedAnswer) => this.#waiting.get(answer.id)?.(answer));
    host.on("exit", () => {
      for (const [id, tell] of this.#waiting) tell({ id, error: { code: undefined, message: "it died" } });
    });
  }

  static async create(fault: DiskFault): Promise<CrampedPlace> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const [command = "", ...words] = [...(OWN_MOUNTS ?? []), process.execPath, HOST, folder];
    const host = spawn(command, words, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    const place = new CrampedPlace(folder, host, fault);
    if (OWN_MOUNTS !== undefined) await place.#ask({ kind: "mount", sizeBytes: DISK_BYTES });
    return place;
  }

  openProgress(): Promise<ProgressStore> {
    return this.#open<ProgressStore>("progress");
  }

  openMappings(): Promise<ResourceStore> {
    return this.#open<ResourceStore>("mappings");
  }

  openCells(): Promise<CellStore> {
    return this.#open<CellStore>("cells");
  }

  openEvents(): Promise<AsyncQueue> {
    return this.#open<AsyncQueue>("events");
  }

  openParking(): Promise<ParkingStore> {
    return this.#open<ParkingStore>("parking");
  }

  openParkedKeys(): Promise<ParkedKeyStore> {
    return this.#open<ParkedKeyStore>("parkedKeys");
  }

  openFailureFile(): Promise<CrampedFailureFile> {
    return this.#open<CrampedFailureFile>("failures");
  }

  openStream(): Promise<CrampedStream> {
    return this.#open<CrampedStream>("stream");
  }

  openQueue(): Promise<CrampedQueue> {
    return this.#open<CrampedQueue>("queue");
  }

  async begin(): Promise<void> {
    if (OWN_MOUNTS === undefined || this.#fault === "failing disk") this.#limitFiles(`${FILE_BYTES_MAX}:`);
    else if (this.#fault === "full disk") await this.#ask({ kind: "fill" });
    else await this.#ask({ kind: "remount", mode: "ro" });
  }

  async end(): Promise<void> {
    if (OWN_MOUNTS === undefined || this.#fault === "failing disk") this.#limitFiles("unlimited:");
    else if (this.#fault === "full disk") await this.#ask({ kind: "free" });
    else await this.#ask({ kind: "remount", mode: "rw" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#host, "exit");
    this.#host.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  #limitFiles(limit: string): void {
    const { status, stderr } = spawnSync("prlimit", [`--pid=${this.#host.pid}`, `--fsize=${limit}`], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
  }

  async #open<Store extends object>(store: CrampedKind): Promise<Store> {
    const handle = this.#handles++;
    await this.#ask({ kind: "open", handle, store });
    // A promise of it must not take it for a promise.
    return new Proxy({} as Store, {
      get: (_, method) =>
        method === "then" || method === "onChange"
          ? undefined
          : (...values: unknown[]) => this.#ask({ kind: "call", handle, method: String(method), values }),
    });
  }

  async #ask(question: CrampedQuestion): Promise<unknown> {
    const id = this.#asked++;
    const { promise, resolve } = Promise.withResolvers<CrampedAnswer>();
    this.#waiting.set(id, resolve);
    this.#host.send({ id, question });
    const { result, error } = await promise;
    this.#waiting.delete(id);
    if (error === undefined) return result;
    const code = ERROR_CODES.find((each) => each === error.code);
    throw code === undefined ? new Error(error.message) : new MillraceError(code, error.message);
  }
}
