import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Beside the store that is used unless another is named. */
const FOLDER = ".millrace/inline";

/**
 * Keeps code that stands in a template as a file, since what runs it wants one. Named after its content: the same code
 * is one folder, and other code another, which functions are opened anew for. Returns the folder.
 */
export function keepInlineCode(file: string, text: string): string {
  const hash = createHash("sha256").update(`${file}\n${text}`).digest("hex").slice(0, 16);
  const folder = resolve(FOLDER, hash);
  const path = join(folder, file);
  if (existsSync(path)) return folder;
  mkdirSync(folder, { recursive: true });
  // Another process may do the same: whoever reads sees all of it.
  const draft = join(folder, `.${process.pid}.draft`);
  writeFileSync(draft, text);
  renameSync(draft, path);
  return folder;
}
