import type { FunctionLog, LogStream } from "../../ports/function-log.ts";
import { OutputLines } from "../output-lines.ts";
import { OutputTail } from "../output-tail.ts";
import type { EnvironmentOutput } from "./environment-parts.ts";
import { startLine } from "./report-lines.ts";

/** What one invocation may print; the rest is read, and dropped. */
const PRINTED_CHARS_MAX = 1024 * 1024;
/** As long as CloudWatch takes an event: a line of metrics is one. */
const LINE_CHARS_MAX = 256 * 1024;
const DROPPED = `\nThe function printed more than ${PRINTED_CHARS_MAX} characters in one invocation; the rest is dropped.\n`;

export interface OutputOwner {
  readonly log: FunctionLog;
  readonly fn: string;
  readonly version: string;
}

/** What one environment prints: lines for the log, and their end for who asks for it. */
export class RuntimeOutput implements EnvironmentOutput {
  readonly #lines: Readonly<Record<"stdout" | "stderr", OutputLines>>;
  readonly #of: OutputOwner;
  #requestId: string | undefined;
  readonly #tail = new OutputTail();
  #allowance = PRINTED_CHARS_MAX;

  constructor(of: OutputOwner) {
    this.#of = of;
    this.#lines = {
      stdout: new OutputLines((text) => this.#write(text, "stdout"), LINE_CHARS_MAX),
      stderr: new OutputLines((text) => this.#write(text, "stderr"), LINE_CHARS_MAX),
    };
  }

  get tail(): string {
    return this.#tail.text;
  }

  begin(): void {
    this.#tail.clear();
    this.#allowance = PRINTED_CHARS_MAX;
  }

  run(requestId: string): void {
    this.flush();
    this.#requestId = requestId;
    this.#write(startLine(requestId, this.#of.version), "platform");
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

  #write(text: string, stream: LogStream): void {
    const { log, fn, version } = this.#of;
    log.line({ fn, version, requestId: this.#requestId, stream, text });
  }

  #keep(text: string, stream: "stdout" | "stderr"): void {
    this.#tail.add(text);
    this.#lines[stream].add(text);
  }
}
