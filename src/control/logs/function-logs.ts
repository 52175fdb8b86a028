import { sleep } from "../../lib/sleep.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SnapshotStore, StoredSnapshot } from "../../ports/snapshot-store.ts";
import type { SeenProcess, WholeView } from "../whole-view.ts";
import type { FunctionLogBook } from "./function-log-book.ts";
import { logIdOf, processOfLog, readLog, writeLog } from "./log-document.ts";
import type { KeptLine } from "./log-ring.ts";

export interface FunctionLogsOptions {
  readonly book: FunctionLogBook;
  readonly snapshots: SnapshotStore;
  readonly processId: string;
  readonly clock: Clock;
  everywhere(isPatient: boolean): Promise<WholeView>;
}

export interface LogQuestion {
  readonly fn: string;
  /** Epoch milliseconds. */
  readonly sinceMs?: number | undefined;
  readonly requestId?: string | undefined;
  /** By process: the newest line that was seen. Absent: nothing was. */
  readonly after?: ReadonlyMap<string, number> | undefined;
  readonly max: number;
}

export interface LogPage {
  /** Oldest first. Without `after` they are the newest. */
  readonly lines: readonly LoggedLine[];
  /** What is given as `after` next. */
  readonly seen: ReadonlyMap<string, number>;
  /** Lines that nobody has any more stand between these, or before them. */
  readonly isCut: boolean;
  /** Why other processes could not be asked. */
  readonly problem: string | undefined;
}

/** `process`: enough of its id to tell it from others, and short, since who follows sends one for each. */
export type LoggedLine = KeptLine & { readonly process: string };

const NAME_CHARS = 12;

interface ProcessLines {
  readonly process: string;
  readonly lines: readonly KeptLine[];
  readonly newestSeq: number;
  readonly isCut: boolean;
}

/** Others write every two seconds while they are asked, and look every second whether they are. */
const PATIENCE_MS = 3_500;
const POLL_MS = 250;
const NEVER = new AbortController().signal;

/** What functions have printed, over all processes of the store. */
export class FunctionLogs {
  readonly #options: FunctionLogsOptions;
  #publishedSeq = 0;

  constructor(options: FunctionLogsOptions) {
    this.#options = options;
  }

  /** For the others to read. Writes nothing when nothing was printed since. */
  async publish(nowMs: number): Promise<void> {
    const { book, snapshots, processId } = this.#options;
    const { seq } = book;
    if (seq === this.#publishedSeq) return;
    const document = writeLog((charsMax) => book.newest(charsMax));
    await snapshots.write({ processId: logIdOf(processId), atMs: Math.round(nowMs), document });
    this.#publishedSeq = seq;
  }

  /** The first time others are waited for a little, until they have said what they have. */
  async read(question: LogQuestion): Promise<LogPage> {
    const { snapshots, everywhere } = this.#options;
    const view = await (question.after === undefined ? this.#viewAnew() : everywhere(false));
    const stored = view.problem === undefined ? await snapshots.read().catch(() => undefined) : undefined;
    const problem = view.problem ?? (stored === undefined ? "the store did not answer" : undefined);
    const all = [this.#ownLines(question), ...this.#linesOfOthers(stored ?? [], question)];
    return { ...pageOf(all, question), problem };
  }

  /** Resolves when each of the others that lives has spoken since it was asked, or after a while. */
  async #viewAnew(): Promise<WholeView> {
    const { everywhere, clock } = this.#options;
    const startMs = clock.monotonic();
    const first = await everywhere(false);
    const spoken = new Map(first.processes.map(({ snapshot }) => [snapshot.processId, snapshot.atMs]));
    const isSilent = ({ isHere, standing, snapshot }: SeenProcess) =>
      !isHere && standing === "lives" && spoken.get(snapshot.processId) === snapshot.atMs;
    let view = first;
    while (view.processes.some(isSilent) && clock.monotonic() - startMs < PATIENCE_MS) {
      await sleep(clock, POLL_MS, NEVER);
      view = await everywhere(false);
    }
    return view;
  }

  #ownLines({ fn, after }: LogQuestion): ProcessLines {
    const { book, processId } = this.#options;
    const process = processId.slice(-NAME_CHARS);
    const { lines, isCut } = book.linesOf(fn, after?.get(process) ?? 0);
    return { process, lines, newestSeq: book.seq, isCut };
  }

  #linesOfOthers(stored: readonly StoredSnapshot[], { fn, after }: LogQuestion): readonly ProcessLines[] {
    return stored.flatMap(({ processId: id, document }) => {
      const processId = processOfLog(id);
      if (processId === undefined || processId === this.#options.processId) return [];
      const log = readLog(document);
      if (log === undefined) return [];
      const process = processId.slice(-NAME_CHARS);
      const afterSeq = after?.get(process) ?? 0;
      const lines = log.lines.filter((line) => line.fn === fn && line.seq > afterSeq);
      const newestSeq = Math.max(log.leftOutSeq, log.lines.at(-1)?.seq ?? 0);
      return [{ process, lines, newestSeq, isCut: log.leftOutSeq > afterSeq }];
    });
  }
}

/** Lines of a process stay in their order, whatever its clock did; among processes time counts. */
function pageOf(
  all: readonly ProcessLines[],
  { sinceMs = 0, requestId, after, max }: LogQuestion,
): Omit<LogPage, "problem"> {
  const isWanted = ({ atMs, requestId: of }: KeptLine) =>
    atMs >= sinceMs && (requestId === undefined || of === requestId);
  const sorted = all
    .flatMap(({ process, lines }) => {
      let orderMs = 0;
      return lines.filter(isWanted).map((line) => {
        orderMs = Math.max(orderMs, line.atMs);
        return { line: { ...line, process }, orderMs };
      });
    })
    .sort((a, b) => a.orderMs - b.orderMs)
    .map(({ line }) => line);
  const isFull = sorted.length > max;
  const lines = after === undefined ? sorted.slice(-max) : sorted.slice(0, max);
  const seen = new Map(after);
  // The rest of a page that is full comes with the next.
  if (isFull && after !== undefined) for (const { process, seq } of lines) seen.set(process, seq);
  else for (const { process, newestSeq } of all) seen.set(process, newestSeq);
  return { lines, seen, isCut: after === undefined ? isFull : all.some((each) => each.isCut) };
}
