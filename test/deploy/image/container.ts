import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { RootFolder } from "./root-folder.ts";

/** How a program runs in an image. */
export interface Launch {
  readonly root: RootFolder;
  /** `UID:GID`. */
  readonly user: string;
  readonly folder: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly words: readonly string[];
  /** Undefined for a step of a build, which may write and reach the network. */
  readonly seal?: Seal;
  /** Folder of this machine that a step of a build finds at `/root/.npm`: packages are fetched once. */
  readonly npmCache?: string;
}

/** As a careful runtime starts it: nothing can be written but the volume and /tmp, and the network is its own. */
export interface Seal {
  /** Folder of this machine that is mounted at `volumeAt`. */
  readonly volume: string;
  readonly volumeAt: string;
  /** Folders of this machine, read-only, by where they are mounted. */
  readonly mounts: ReadonlyMap<string, string>;
}

/** Mounts, then becomes the program; its words come after the script's own. */
function script({ root, seal, npmCache, user, folder }: Launch): string {
  const at = quoted(root.path);
  const lines = [
    "set -e",
    `mount --bind ${at} ${at}`,
    `mount --rbind /usr ${at}/usr`,
    `mount -o remount,bind,ro ${at}/usr`,
    `mount --bind ${quoted(root.localPath)} ${at}/usr/local`,
    `mount --rbind /etc/ssl ${at}/etc/ssl`,
    `mount -t proc proc ${at}/proc`,
    `mount --rbind /dev ${at}/dev`,
  ];
  if (npmCache !== undefined) lines.push(`mount --bind ${quoted(npmCache)} ${at}/root/.npm`);
  if (seal !== undefined) {
    lines.push(
      "ip link set lo up",
      `mount -t tmpfs -o mode=1777 tmpfs ${at}/tmp`,
      `mount --bind ${quoted(seal.volume)} ${at}${seal.volumeAt}`,
      ...[...seal.mounts].flatMap(([target, source]) => [
        `mount --bind ${quoted(source)} ${at}${target}`,
        `mount -o remount,bind,ro ${at}${target}`,
      ]),
      `mount -o remount,bind,ro ${at}/usr/local`,
      `mount -o remount,bind,ro ${at}`,
    );
  }
  lines.push(`exec chroot --userspec=${user} --groups= ${at} /usr/bin/env -i -C ${quoted(folder)} "$@"`);
  return lines.join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function unshareArgs(launch: Launch): string[] {
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
  if (launch.seal !== undefined) namespaces.push("--net");
  const environment = [...launch.environment].map(([name, value]) => `${name}=${value}`);
  return [...namespaces, "sh", "-c", script(launch), "sh", ...environment, ...launch.words];
}

/** Runs a step of a build to its end. @throws Error with its output when it fails. */
export function runStep(launch: Launch): void {
  needRoot();
  const { status, stdout, stderr, error } = spawnSync("unshare", unshareArgs(launch), { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) {
    throw new Error(`RUN ${launch.words.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  }
}

/** A program that runs as process 1 of its own namespaces. */
export class Container {
  readonly #child: ChildProcess;
  readonly #launch: Launch;
  readonly ended: Promise<number | null>;
  output = "";

  constructor(launch: Launch) {
    needRoot();
    this.#launch = launch;
    const child = spawn("unshare", unshareArgs(launch), { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => child.on("close", (status) => resolve(status)));
    this.#child = child;
  }

  /** To process 1, as a runtime does. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.#pid(), name);
  }

  /** Process 1 is the image's own, no longer what mounts for it, and has started another. */
  hasChild(): boolean {
    const pid = this.#childPid();
    if (pid === undefined || childrenOf(pid).length === 0) return false;
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return words === this.#launch.words.map((word) => `${word}\0`).join("");
  }

  /** Of process 1, by the kernel. */
  ownerIds(): { uid: string | undefined; gid: string | undefined } {
    const status = readFileSync(`/proc/${this.#pid()}/status`, "utf8");
    return { uid: /^Uid:\s+(\d+)/m.exec(status)?.[1], gid: /^Gid:\s+(\d+)/m.exec(status)?.[1] };
  }

  /** Runs more words in it, as its user: health checks do. */
  execute(words: readonly string[]): { status: number | null; output: string } {
    const [uid = "", gid = ""] = this.#launch.user.split(":");
    const environment = [...this.#launch.environment].map(([name, value]) => `${name}=${value}`);
    const enter = [`--target=${this.#pid()}`, "--mount", "--pid", "--net", "--root", `-S${uid}`, `-G${gid}`];
    const { status, stdout, stderr } = spawnSync(
      "nsenter",
      [...enter, "/usr/bin/env", "-i", ...environment, ...words],
      { encoding: "utf8" },
    );
    return { status, output: stdout + stderr };
  }

  /**
   * Idempotent. The program itself is killed: it has dropped root's rights, and with them the signal of its parent's
   * death.
   */
  async kill(): Promise<void> {
    const pid = this.#childPid();
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    await this.ended;
  }

  #pid(): number {
    const pid = this.#childPid();
    if (pid === undefined) throw new Error(`the container does not run: ${this.output}`);
    return pid;
  }

  #childPid(): number | undefined {
    const [first] = this.#child.pid === undefined ? [] : childrenOf(this.#child.pid);
    return first;
  }
}

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split(" ").filter(Boolean).map(Number);
}

function needRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new Error(
    "building and running an image step by step mounts file systems: run this as root, or with sudo",
  );
}
