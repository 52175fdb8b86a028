import { spawnSync } from "node:child_process";
import { unpackDebianPackages } from "../../servers/debian-packages.ts";
import { installOnce } from "./go.ts";

/**
 * The one on the PATH, or the one of Debian's package `prometheus`, which is unpacked into the cache and not installed.
 */
export function promtool(): string {
  if (spawnSync("promtool", ["--version"]).status === 0) return "promtool";
  const wanted = {
    packages: ["prometheus"],
    withDependencies: false,
    alternative: "Install Prometheus, so that promtool is on the PATH.",
  };
  return installOnce("promtool-debian", "usr/bin/promtool", (folder) => unpackDebianPackages(wanted, folder));
}
