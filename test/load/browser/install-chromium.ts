/**
 * Chromium from Debian's packages, unpacked into the user's cache: needs no root, and nothing is installed into the
 * system. Packages that the system has are not fetched again.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../../servers/cache-folder.ts";
import { unpackDebianPackages } from "../../servers/debian-packages.ts";

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
  const cache = cacheFolder();
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
    unpackDebianPackages(
      {
        packages: PACKAGES,
        withDependencies: true,
        alternative: "Install Chromium and name it: MILLRACE_TEST_CHROMIUM=/path/to/chromium.",
      },
      staging,
    );
    if (!existsSync(join(staging, PROGRAM))) throw new Error(`Debian's chromium has no ${PROGRAM}.`);
    await rename(staging, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function debianTriplet(): string {
  return process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
}
