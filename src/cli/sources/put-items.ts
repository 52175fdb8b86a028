import type { OutcomeDocument } from "../../control/embedded/record-text.ts";
import { type CliHost, EXIT_BAD_INPUT, EXIT_FAILED, EXIT_OK, type ExitStatus } from "../command.ts";
import { formatCount, printable } from "../terminal-text.ts";
import { type ItemLine, inputLines, wordLines } from "./item-lines.ts";
import type { SourceDesk, SourceKind } from "./source-desk.ts";

export interface PutJob {
  readonly kind: SourceKind;
  readonly name: string;
  /** Empty: standard input is read. */
  readonly words: readonly string[];
  /** An item as the desk takes it, or what is wrong with it. */
  readonly itemOf: (text: string) => { readonly json: string } | { readonly reason: string };
  readonly isJson: boolean;
}

/** Answers that are shown one by one; of more the sum says enough. */
const SHOWN_MAX = 20;
/** Refusals that are told one by one. */
const TOLD_MAX = 10;
const FRAME_MS = 200;

/** Puts words or lines of standard input in, in their order, and tells what became of each. */
export async function putItems(desk: SourceDesk, job: PutJob, host: CliHost): Promise<ExitStatus> {
  if (job.words.length === 0 && host.stdin.isTTY === true)
    host.stderr.write(`Reads ${noun(job)}s from this terminal, one a line. Ctrl-D ends it.\n`);
  const tally = new Tally(job, host);
  const groups = job.words.length > 0 ? wordLines(job.words) : inputLines(host.stdin);
  for await (const lines of groups) {
    tally.add(lines, await putGroup(desk, job, lines));
    // What comes behind what was not stored would overtake it.
    if (tally.isStopped) break;
  }
  return tally.end(desk.place);
}

async function putGroup(
  desk: SourceDesk,
  { name, itemOf }: PutJob,
  lines: readonly ItemLine[],
): Promise<readonly OutcomeDocument[]> {
  const items = lines.map(({ text }) => itemOf(text));
  const good = items.flatMap((item) => ("json" in item ? [item.json] : []));
  const answers = good.length === 0 ? [] : await desk.put(name, good);
  let next = 0;
  return items.map((item): OutcomeDocument => {
    if ("reason" in item) return { errorCode: "InvalidParameterValue", errorMessage: item.reason };
    return answers[next++] ?? { errorCode: "OutcomeUnknown", errorMessage: "It was not answered." };
  });
}

class Tally {
  readonly #job: PutJob;
  readonly #host: CliHost;
  readonly #startedMs: number;
  #given = 0;
  #stored = 0;
  #refused = 0;
  #failed = 0;
  #isDrawn = false;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #shown: string[] | undefined = [];

  constructor(job: PutJob, host: CliHost) {
    this.#job = job;
    this.#host = host;
    this.#startedMs = performance.now();
  }

  get isStopped(): boolean {
    return this.#failed > 0;
  }

  add(lines: readonly ItemLine[], answers: readonly OutcomeDocument[]): void {
    this.#given += lines.length;
    for (const [index, answer] of answers.entries()) {
      const { number = 0 } = lines[index] ?? {};
      if (this.#job.isJson) this.#host.stdout.write(`${JSON.stringify({ line: number, ...answer })}\n`);
      const code = answer["errorCode"];
      if (code === undefined) this.#storedOne(answer);
      else this.#lostOne(number, answer, code === "InvalidParameterValue");
    }
    this.#draw();
  }

  end(place: string): ExitStatus {
    this.#erase();
    const { stdout, stderr } = this.#host;
    // The source was not asked: that it is there is not known.
    if (this.#given === 0) {
      const what = noun(this.#job);
      stderr.write(`No ${what} was given: give each as a word, or one a line on standard input.\n`);
      return EXIT_OK;
    }
    if (!this.#job.isJson) {
      for (const line of this.#shown ?? []) stdout.write(`${line}\n`);
      stdout.write(`${this.#sum()} (${place}).\n`);
    }
    if (this.#failed > 0) return EXIT_FAILED;
    return this.#refused > 0 ? EXIT_BAD_INPUT : EXIT_OK;
  }

  #storedOne(answer: OutcomeDocument): void {
    this.#stored += 1;
    if (this.#shown === undefined) return;
    this.#shown.push(printable(Object.values(answer).join("  ")));
    if (this.#shown.length > SHOWN_MAX) this.#shown = undefined;
  }

  #lostOne(number: number, answer: OutcomeDocument, isRefused: boolean): void {
    if (isRefused) this.#refused += 1;
    else this.#failed += 1;
    const lost = this.#refused + this.#failed;
    this.#erase();
    if (lost <= TOLD_MAX) {
      const where = this.#job.words.length > 0 ? `${noun(this.#job)} ${number}` : `line ${number}`;
      this.#host.stderr.write(`${where}: ${printable(answer["errorMessage"] ?? "")}\n`);
    }
    if (lost === TOLD_MAX + 1) this.#host.stderr.write("… and more, which only the sum counts.\n");
  }

  #sum(): string {
    const { kind, name } = this.#job;
    const what = `${formatCount(this.#stored)} ${noun(this.#job)}${this.#stored === 1 ? "" : "s"}`;
    const [verb, into] = kind === "stream" ? ["Put", "into"] : ["Sent", "to"];
    const refused = this.#refused === 0 ? "" : `, ${formatCount(this.#refused)} refused`;
    const failed =
      this.#failed === 0 ? "" : `, ${formatCount(this.#failed)} not stored: nothing behind them was tried`;
    return `${verb} ${what} ${into} the ${kind} ${printable(name)}${refused}${failed}`;
  }

  /** One line that is drawn again and again, on a terminal only. */
  #draw(): void {
    const nowMs = performance.now();
    if (this.#host.stderr.isTTY !== true || nowMs - this.#drawnMs < FRAME_MS) return;
    this.#drawnMs = nowMs;
    const perSecond = (this.#stored * 1000) / Math.max(1, nowMs - this.#startedMs);
    this.#erase();
    this.#host.stderr.write(`${this.#sum()}   ${formatCount(perSecond)}/s`);
    this.#isDrawn = true;
  }

  #erase(): void {
    if (this.#isDrawn) this.#host.stderr.write("\r\u001b[2K");
    this.#isDrawn = false;
  }
}

function noun({ kind }: Pick<PutJob, "kind">): string {
  return kind === "stream" ? "record" : "message";
}
