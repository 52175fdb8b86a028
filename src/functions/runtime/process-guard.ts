import { type ChildProcess, spawn } from "node:child_process";

/**
 * Ends the groups that are told to it when its input ends: whoever writes there is gone then, also where it was killed
 * and could end nothing itself. No signal of a terminal reaches it.
 */
const SCRIPT = `trap '' HUP INT TERM
groups=
while read -r verb group; do
  case $verb in
    +) groups="$groups $group" ;;
    -) rest=
       for each in $groups; do [ "$each" = "$group" ] || rest="$rest $each"; done
       groups=$rest ;;
  esac
done
for each in $groups; do kill -9 "-$each"; done`;

/** Watches over process groups, in a process of its own that outlives this one by a moment. */
export class ProcessGuard {
  #guard: ChildProcess | undefined;

  add(group: number): void {
    this.#write(`+ ${group}\n`);
  }

  remove(group: number): void {
    this.#write(`- ${group}\n`);
  }

  #write(line: string): void {
    this.#guard ??= this.#start();
    // Without a guard, as on a machine that has no room for it, all goes on as it can.
    this.#guard.stdin?.write(line);
  }

  #start(): ChildProcess {
    const guard = spawn("/bin/sh", ["-c", SCRIPT], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
    guard.on("error", () => {});
    guard.stdin?.on("error", () => {});
    guard.unref();
    // A socket underneath, which would keep this process alive.
    if (guard.stdin !== null && "unref" in guard.stdin && typeof guard.stdin.unref === "function")
      guard.stdin.unref();
    return guard;
  }
}
