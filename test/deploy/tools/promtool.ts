import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { installOnce } from "./go.ts";

/** The one on the PATH, or the one of Debian's package `prometheus`, which is unpacked into the cache and not installed. */
export function promtool(): string {
  if (spawnSync("promtool", ["--version"]).status === 0) return "promtool";
  return installOnce("promtool-debian", "usr/bin/promtool", (folder) => {
    run("apt-get", ["download", "-q", "prometheus"], folder);
    const [file] = readdirSync(folder).filter((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded nothing");
    run("dpkg-deb", ["-x", join(folder, file), folder], folder);
  });
}

function run(program: string, words: readonly string[], folder: string): void {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd: folder, encoding: "utf8" });
  if (error === undefined && status === 0) return;
  throw new Error(
    `promtool is not on the PATH, and ${program} ${words.join(" ")} failed: ${error?.message ?? stdout + stderr}\n` +
      "Install Prometheus, or run `apt-get update` first on Debian.",
  );
}
