/**
 * Chromium from Debian's packages, unpacked into the user's cache: needs no root, and nothing is installed into the system.
 * Packages that the system has are not fetched again.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const INSTALL_TIMEOUT_MS = 300_000;
const PROGRAM = "usr/lib/chromium/chromium";
const PACKAGES = ["chromium", "fonts-dejavu-core"];
const SYSTEM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export interface Chromium {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The one that `MILLRACE_TEST_CHROMIUM` names, the system's, or one in the cache. */
export async function installChromium(): Promise<Chromium> {
  const named = process.env["MILLRACE_TEST_CHROMIUM"];
  const found = [named ?? "", ...SYSTEM].find((path) => path !== "" && existsSync(path));
  if (found !== undefined) return { program: found, environment: {} };
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "millrace");
  const folder = join(cache, "chromium");
  if (!existsSync(folder)) await unpackInto(cache, folder);
  const places = ["lib", "usr/lib"].map((path) => join(folder, path, debianTriplet()));
  // PulseAudio keeps one of its libraries in a folder of its own.
  const libraries = [...places, ...places.map((place) => join(place, "pulseaudio"))];
  return {
    program: join(folder, PROGRAM),
    environment: { LD_LIBRARY_PATH: libraries.join(":") },
  };
}

async function unpackInto(cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, "installing-"));
  try {
    const [root, debs, state] = ["root", "debs", "state"].map((name) => join(staging, name));
    if (root === undefined || debs === undefined || state === undefined) return;
    for (const path of [root, debs, join(state, "lists", "partial")]) await mkdir(path, { recursive: true });
    const lists = ["-o", `Dir::State::Lists=${join(state, "lists")}`, "-o", `Dir::Cache=${state}`];
    const apt = ["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1", ...lists];
    run("apt-get", [...apt, "update"]);
    const uris = run("apt-get", [
      ...apt,
      "install",
      "--print-uris",
      "--no-install-recommends",
      "-y",
      ...PACKAGES,
    ]);
    const files = [...uris.matchAll(/^'[^']+' ([^_\s]+)_(\S+)_[^_\s]+\.deb /gm)];
    const versions = files.map(([, name = "", version = ""]) => `${name}=${decodeURIComponent(version)}`);
    run("apt-get", [...apt, "download", ...versions], debs);
    for (const deb of await readdir(debs)) run("dpkg-deb", ["-x", join(debs, deb), root]);
    if (!existsSync(join(root, PROGRAM))) throw new Error(`Debian's chromium has no ${PROGRAM}.`);
    await rename(root, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], cwd?: string): string {
  const options = {
    encoding: "utf8",
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, LC_ALL: "C" },
  } as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (error !== undefined) {
    throw new Error(
      `Chromium comes from Debian's packages by ${program}, which cannot be run: ${error.message}. Install Chromium and ` +
        "name it: MILLRACE_TEST_CHROMIUM=/path/to/chromium.",
    );
  }
  if (status !== 0)
    throw new Error(`${program} ${args.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function debianTriplet(): string {
  return process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
}
