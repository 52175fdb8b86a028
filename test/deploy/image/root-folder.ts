import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A file system of an image. `/usr` but for `/usr/local` is this machine's own, mounted when something runs in it: it
 * stands for the base image's Debian, which no registry is asked for. The rest is in the folder.
 */
export interface RootFolder {
  readonly path: string;
  /** Holds what is at `/usr/local`: a mount cannot lie in the folder of another before that is mounted. */
  readonly localPath: string;
}

const FOLDERS = ["dev", "etc/ssl", "home", "opt", "proc", "root/.npm", "tmp", "usr", "var"];
const LINKS = ["bin", "lib", "lib64", "sbin"];

/** As in the base image `node`: a Debian, Node at /usr/local, npm beside it. */
export function createBaseRoot(folder: string): RootFolder {
  const root = { path: join(folder, "root"), localPath: join(folder, "local") };
  for (const name of FOLDERS) mkdirSync(join(root.path, name), { recursive: true });
  for (const name of LINKS) symlinkSync(`usr/${name}`, join(root.path, name));
  writeFileSync(join(root.path, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  writeFileSync(join(root.path, "etc/group"), "root:x:0:\n");
  for (const name of ["resolv.conf", "hosts"]) cpSync(`/etc/${name}`, join(root.path, "etc", name));
  const bin = join(root.localPath, "bin");
  mkdirSync(bin, { recursive: true });
  cpSync(realpathSync(process.execPath), join(bin, "node"));
  cpSync(npmFolder(), join(root.localPath, "lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(bin, "npm"));
  return root;
}

/** Where something of the image is on this machine. */
export function placeOf(root: RootFolder, path: string): string {
  const inLocal = /^\/usr\/local(\/.*|$)/.exec(path)?.[1];
  return inLocal === undefined ? join(root.path, path) : join(root.localPath, inLocal);
}

function npmFolder(): string {
  const { stdout } = spawnSync("sh", ["-c", "command -v npm"], { encoding: "utf8" });
  if (stdout.trim() === "") throw new Error("there is no npm on the PATH");
  return dirname(dirname(realpathSync(stdout.trim())));
}
