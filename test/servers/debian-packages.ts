import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIMEOUT_MS = 300_000;

export interface DebianPackages {
  readonly packages: readonly string[];
  /** What they depend on, too, as far as the system does not have it. */
  readonly withDependencies: boolean;
  /** For errors: how to do without. */
  readonly alternative: string;
}

/**
 * Unpacks Debian's packages into `root`. Nothing is installed into the system, its package lists are neither needed nor
 * touched, and no root is needed.
 * @throws Error where there is no apt, or a download fails.
 */
export function unpackDebianPackages(wanted: DebianPackages, root: string): void {
  const staging = mkdtempSync(join(tmpdir(), "millrace-debian-"));
  try {
    const [debs, state] = [join(staging, "debs"), join(staging, "state")];
    for (const folder of [debs, join(state, "lists", "partial")]) mkdirSync(folder, { recursive: true });
    const lists = ["-o", `Dir::State::Lists=${join(state, "lists")}`, "-o", `Dir::Cache=${state}`];
    const apt = ["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1", ...lists];
    const run = (program: string, words: readonly string[], cwd = staging) =>
      runProgram(program, words, { cwd, ...wanted });
    run("apt-get", [...apt, "update"]);
    const versions = wanted.withDependencies ? withDependencies(wanted.packages, apt, run) : wanted.packages;
    run("apt-get", [...apt, "download", ...versions], debs);
    for (const deb of readdirSync(debs)) run("dpkg-deb", ["-x", join(debs, deb), root]);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function withDependencies(
  packages: readonly string[],
  apt: readonly string[],
  run: (program: string, words: readonly string[]) => string,
): readonly string[] {
  const words = ["install", "--print-uris", "--no-install-recommends", "-y", ...packages];
  const files = run("apt-get", [...apt, ...words]).matchAll(/^'[^']+' ([^_\s]+)_(\S+)_[^_\s]+\.deb /gm);
  return [...files].map(([, name = "", version = ""]) => `${name}=${decodeURIComponent(version)}`);
}

function runProgram(
  program: string,
  words: readonly string[],
  { cwd, packages, alternative }: DebianPackages & { readonly cwd: string },
): string {
  const env = { ...process.env, LC_ALL: "C" };
  const options = { cwd, env, encoding: "utf8", timeout: TIMEOUT_MS } as const;
  const { status, stdout, stderr, error } = spawnSync(program, words, options);
  if (error === undefined && status === 0) return stdout;
  const reason = error?.message ?? `status ${status}:\n${stdout}${stderr}`;
  throw new Error(
    `Debian's ${packages.join(" and ")} cannot be unpacked by ${program} ${words[0] ?? ""}: ${reason}\n${alternative}`,
  );
}
