import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "../../servers/cache-folder.ts";

const BUILD_TIMEOUT_MS = 1_800_000;

/** A command of a Go module, built the first time and kept in the user's cache: its path. */
export function installGoCommand(name: string, path: string, version: string): string {
  return installOnce(`${name}-${version.replace(/^v/, "")}`, name, (folder) => {
    runGo(["install", "-trimpath", `${path}@${version}`], { GOBIN: folder });
  });
}

/** A command of a Go module that is in the checkout; `key` changes with its source. */
export function buildGoCommand(name: string, source: string, key: string): string {
  return installOnce(`${name}-${key}`, name, (folder) => {
    runGo(["build", "-C", source, "-mod=readonly", "-trimpath", "-o", join(folder, name), "."], {});
  });
}

/** The folder with the files of a module. */
export function goModuleFolder(path: string, version: string): string {
  const output = runGo(["mod", "download", "-json", `${path}@${version}`], {});
  return String(JSON.parse(output).Dir);
}

/** `folder/file` in the cache, made by `install` when it is not there. */
export function installOnce(folder: string, file: string, install: (folder: string) => void): string {
  const cache = cacheFolder();
  const target = join(cache, folder);
  if (existsSync(target)) return join(target, file);
  mkdirSync(cache, { recursive: true });
  const staging = mkdtempSync(join(cache, "installing-"));
  try {
    install(staging);
    if (!existsSync(join(staging, file))) throw new Error(`${file} was not made for ${basename(target)}`);
    try {
      renameSync(staging, target);
    } catch (error) {
      // Another process was faster.
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return join(target, file);
}

function runGo(words: readonly string[], environment: Readonly<Record<string, string>>): string {
  const { status, stdout, stderr, error } = spawnSync("go", words, {
    encoding: "utf8",
    env: { ...process.env, GOFLAGS: "-buildvcs=false", ...environment },
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    throw new Error(
      "the tools that check the chart are built with Go 1.21 or newer, which is not on the PATH",
    );
  }
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`go ${words.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  return stdout;
}
