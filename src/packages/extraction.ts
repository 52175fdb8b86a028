import { constants } from "node:fs";
import { mkdir, open, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { PlannedFile, ZipPlan } from "./zip.ts";

const FILE_MODE = 0o644;
const RUN_MODE = 0o755;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
/** At once: each waits for the disk. */
const FILES_AT_ONCE = 8;

/**
 * Writes what was planned below `folder`, which is there and empty, and waits until the disk has it. Modes are the
 * archive's as far as files may be run; who owns them and what else they may is not the archive's to say.
 */
export async function extract({ folders, files, links }: ZipPlan, folder: string): Promise<void> {
  // Parents stand before what is in them: their names are shorter.
  for (const path of folders.toSorted((a, b) => a.length - b.length)) {
    await mkdir(join(folder, path), { recursive: true, mode: RUN_MODE });
  }
  const waiting = [...files];
  const write = async () => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) await writeFile(file, folder);
  };
  const written = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, write));
  const failed = written.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  // Last: so no file was written through one.
  for (const { path, target } of links) await symlink(target, join(folder, path));
  for (const path of ["", ...folders]) await syncFolder(join(folder, path));
}

async function writeFile({ path, isExecutable, chunks }: PlannedFile, folder: string): Promise<void> {
  const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;
  const file = await open(join(folder, path), flags, isExecutable ? RUN_MODE : FILE_MODE);
  try {
    for await (const chunk of chunks()) await file.writeFile(chunk);
    // The mask of this process may have taken rights away, by which a function of another user reads.
    await file.chmod(isExecutable ? RUN_MODE : FILE_MODE);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
