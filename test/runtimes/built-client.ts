import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../servers/cache-folder.ts";

/** A function in a language that is built, with what it is built by. */
export interface ClientRecipe {
  /** Its folder beside this file, under `clients`. */
  readonly name: string;
  /** What tells the version of what builds it; without it there is nothing to build with. */
  readonly tool: readonly string[];
  /** What it needs from registries, fetched by `tool`'s own client. A failure is told, and its tests are skipped. */
  readonly fetch: readonly (readonly string[])[];
  /** From the sources into `out`, beside them. A failure is one of the sources. */
  readonly build: readonly (readonly string[])[];
}

export type BuiltClient = { readonly folder: string } | { readonly missing: string };

const STEP_MS_MAX = 30 * 60_000;
const CLIENTS = join(import.meta.dirname, "clients");

/**
 * The folder `out` of a build, in the user's cache and never in the checkout: made the first time that these sources
 * are built by this tool.
 * @throws Error when sources do not compile
 */
export function buildClient(recipe: ClientRecipe): BuiltClient {
  const [program = "", ...words] = recipe.tool;
  const tool = spawnSync(program, words, { encoding: "utf8" });
  if (tool.status !== 0) return { missing: `${recipe.name} needs \`${program}\`, which is not on the PATH` };
  const folder = join(cacheFolder(), `function-${recipe.name}-${keyOf(recipe, tool.stdout + tool.stderr)}`);
  if (existsSync(folder)) return { folder };
  mkdirSync(cacheFolder(), { recursive: true });
  const staging = mkdtempSync(join(cacheFolder(), "building-"));
  try {
    cpSync(join(CLIENTS, recipe.name), staging, { recursive: true });
    mkdirSync(join(staging, "out"));
    for (const step of recipe.fetch) {
      const failure = run(step, staging);
      if (failure !== undefined) return { missing: `${recipe.name} cannot be fetched here: ${failure}` };
    }
    for (const step of recipe.build) {
      const failure = run(step, staging);
      if (failure !== undefined) throw new Error(`The ${recipe.name} function does not build: ${failure}`);
    }
    publish(join(staging, "out"), folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return { folder };
}

function publish(made: string, folder: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
}

/** By content: a changed source, step or tool is another build. */
function keyOf({ name, fetch, build }: ClientRecipe, toolVersion: string): string {
  const hash = createHash("sha256").update(JSON.stringify([toolVersion, fetch, build]));
  const sources = globSync("**/*", { cwd: join(CLIENTS, name), withFileTypes: true });
  for (const path of sources
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(path.slice(CLIENTS.length)).update(readFileSync(path));
  return hash.digest("hex").slice(0, 16);
}

/** `undefined`: it has succeeded. */
function run([program = "", ...words]: readonly string[], folder: string): string | undefined {
  const env = { ...process.env, CARGO_TARGET_DIR: join(folder, "target"), CGO_ENABLED: "0" };
  const options = { cwd: folder, env, encoding: "utf8", timeout: STEP_MS_MAX } as const;
  const { status, stdout, stderr, error } = spawnSync(program, words, options);
  if (status === 0) return undefined;
  const said = error?.message ?? `status ${status}: ${`${stdout}${stderr}`.slice(-2_000)}`;
  return `\`${program} ${words.join(" ")}\`: ${said}`;
}
