import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "../../..");

/** The sources of one commit in a folder of their own, with the packages that they want. */
export interface Tree {
  readonly commit: string;
  readonly folder: string;
  remove(): void;
}

/** @throws Error when git knows no such commit, or its packages cannot be installed. */
export function checkOut(revision: string): Tree {
  const commit = run("git", ["rev-parse", "--short=10", `${revision}^{commit}`], REPOSITORY).trim();
  const folder = mkdtempSync(join(tmpdir(), "millrace-versus-"));
  run("git", ["worktree", "add", "--detach", "--force", folder, commit], REPOSITORY);
  const remove = () => {
    spawnSync("git", ["worktree", "remove", "--force", folder], { cwd: REPOSITORY });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    addPackages(folder);
  } catch (error) {
    remove();
    throw error;
  }
  return { commit, folder, remove };
}

function addPackages(folder: string): void {
  const lock = (of: string) => readFileSync(join(of, "package-lock.json"), "utf8");
  const own = join(REPOSITORY, "node_modules");
  // Most commits want the packages that are there already.
  if (existsSync(own) && lock(folder) === lock(REPOSITORY)) symlinkSync(own, join(folder, "node_modules"));
  else run("npm", ["ci", "--no-audit", "--no-fund"], folder);
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with status ${status}: ${stderr}`);
  return stdout;
}
