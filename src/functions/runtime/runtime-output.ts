import type { LogLine } from "../module-runtime.ts";
import { OutputLines } from "../output-lines.ts";
import { OutputTail } from "../output-tail.ts";
import type { EnvironmentOutput } from "./environment-parts.ts";

/** What one invocation may print; the rest is read, and dropped. */
const PRINTED_CHARS_MAX = 1024 * 1024;
const DROPPED = `\nThe function printed more than ${PRINTED_CHARS_MAX} characters in one invocation; the rest is dropped.\n`;

/** What one environment prints: lines for the log, and their end for who asks for it. */
export class RuntimeOutput implements EnvironmentOutput {
  readonly #lines: Readonly<Record<"stdout" | "stderr", OutputLines>>;
  readonly #tail = new OutputTail();
  #allowance = PRINTED_CHARS_MAX;

  constructor(onLog: LogLine) {
    this.#lines = {
      stdout: new OutputLines((line) => onLog(line, "stdout")),
      stderr: new OutputLines((line) => onLog(line, "stderr")),
    };
  }

  get tail(): string {
    return this.#tail.text;
  }

  begin(): void {
    this.#tail.clear();
    this.#allowance = PRINTED_CHARS_MAX;
  }

  add(text: string, stream: "stdout" | "stderr"): void {
    if (this.#allowance <= 0) return;
    this.#keep(text.slice(0, this.#allowance), stream);
    this.#allowance -= text.length;
    if (this.#allowance <= 0) this.#keep(DROPPED, stream);
  }

  flush(): void {
    this.#lines.stdout.flush();
    this.#lines.stderr.flush();
  }

  #keep(text: string, stream: "stdout" | "stderr"): void {
    this.#tail.add(text);
    this.#lines[stream].add(text);
  }
}
