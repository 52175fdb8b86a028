import type { Engine, Standstill } from "../engine/engine.ts";
import type { RedriveStatus } from "../ports/redrives.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import {
  type ExplainedAll,
  type ExplainedMappingWithText,
  type ExplainOptions,
  explainAll,
  explainMapping,
  type Question,
} from "./explain-mapping.ts";
import type { MappingView } from "./mapping-view.ts";
import { OwnSnapshot, type OwnSnapshotOptions } from "./own-snapshot.ts";
import { SnapshotPublisher } from "./snapshot-publisher.ts";
import { StandstillBook, type StandstillBookOptions } from "./standstill-book.ts";
import { type BeatStanding, type WholeView, WholeViews } from "./whole-view.ts";

export interface ProcessWatchOptions
  extends StandstillBookOptions,
    Omit<OwnSnapshotOptions, "parts" | "engine">,
    Omit<ExplainOptions, "totals"> {
  readonly snapshots: SnapshotStore;
  readonly engine: Engine;
  readonly beat: (name: string) => BeatStanding;
  readonly redrives: () => Promise<readonly RedriveStatus[]>;
  readonly publishLog: (nowMs: number) => Promise<void>;
}

/** What this process says of itself, to those who ask it and to the others of its store, and what these say. */
export class ProcessWatch {
  readonly #options: ProcessWatchOptions;
  readonly #standstills: StandstillBook;
  readonly #publisher: SnapshotPublisher;
  readonly #views: WholeViews;

  constructor(options: ProcessWatchOptions) {
    this.#options = options;
    const standstills = new StandstillBook(options);
    const snapshot = new OwnSnapshot({ ...options, parts: (uuid) => standstills.parts(uuid) });
    this.#standstills = standstills;
    this.#publisher = new SnapshotPublisher({
      ...options,
      make: (isEnded) => snapshot.make(isEnded),
      trouble: () => `${standstills.trouble} ${this.#errorIds()}`,
    });
    this.#views = new WholeViews({ ...options, own: () => snapshot.make(false) });
  }

  start(): void {
    this.#publisher.start();
  }

  async explain(view: MappingView, question: Question): Promise<ExplainedMappingWithText> {
    const [whole, redrives] = await Promise.all([this.everywhere(true), this.#redrives()]);
    return explainMapping(view, question, whole, redrives, this.#options);
  }

  async explainAll(views: readonly MappingView[], mayInspect: boolean): Promise<ExplainedAll> {
    const [whole, redrives] = await Promise.all([this.everywhere(true), this.#redrives()]);
    return explainAll(views, whole, redrives, mayInspect, this.#options);
  }

  /** A store that does not answer is told of by the view. */
  async #redrives(): Promise<readonly RedriveStatus[]> {
    return await this.#options.redrives().catch(() => []);
  }

  standstills(uuid: string): readonly Standstill[] {
    return this.#standstills.standstills(uuid);
  }

  everywhere(isPatient: boolean): Promise<WholeView> {
    return this.#views.view(isPatient);
  }

  /** An error that was not seen before is told before this process may die of it. */
  #errorIds(): string {
    const { status, errors } = this.#options;
    return status()
      .flatMap(({ name }) => errors(name).errors.map(({ id }) => id))
      .sort()
      .join();
  }

  stop(): void {
    this.#publisher.stop();
    this.#standstills.stop();
  }

  /** After `stop`, when nothing runs any more: its last word stays in the store. */
  end(): Promise<void> {
    return this.#publisher.end();
  }
}
