import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installOnce } from "../deploy/tools/go.ts";

/** What events are compared with. Too large for everybody's `npm ci`: the benchmark fetches them. */
const RIVALS: Readonly<Record<string, string>> = { "pg-boss": "12.38.0", bullmq: "6.7.0", ioredis: "6.0.0" };

const MANIFEST = "package.json";

/** The module of a package that is compared with, from the user's cache. @throws Error when it cannot be fetched. */
export async function importRival(name: "pg-boss" | "bullmq"): Promise<unknown> {
  const versions = Object.values(RIVALS).join("-");
  const manifest = installOnce(`event-rivals-${versions}`, MANIFEST, install);
  const path = createRequire(manifest).resolve(name);
  return await import(pathToFileURL(path).href);
}

function install(folder: string): void {
  writeFileSync(join(folder, MANIFEST), JSON.stringify({ private: true, dependencies: RIVALS }));
  const words = ["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
  const { status, stderr } = spawnSync("npm", words, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm cannot install ${Object.keys(RIVALS).join(", ")}: ${stderr}`);
}
