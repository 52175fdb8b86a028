import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** The first line that a script of this folder prints, in a process of its own that ends with the test. */
export async function firstLineOf(
  t: TestContext,
  flags: readonly string[],
  script: string,
  args: readonly string[],
): Promise<string> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...flags, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(([status, signal]) => [`the script ended by ${signal ?? status}`]);
  const [line] = await Promise.race([once(lines, "line"), ended]);
  return String(line);
}
