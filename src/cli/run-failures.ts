import type { ControlPlane } from "../control/control-plane.ts";
import { FailureReaders } from "../control/failure-readers.ts";
import { RedriveFeeds } from "../control/redrive-feeds.ts";
import type { Engine, EngineOptions } from "../engine/engine.ts";
import { IndexWriter } from "../failures/index-writer.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { MillraceError } from "../model/errors.ts";
import { RedriveBook } from "../parking/redrive-book.ts";
import { Redriver } from "../parking/redriver.ts";
import type { FailureIndex } from "../ports/failure-index.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Adapters } from "./adapters.ts";
import { type OpensFunctions, redrivingEngine, uuidOfText } from "./redriving-engine.ts";
import type { RunStores } from "./run-stores.ts";

export interface RunFailuresOptions {
  readonly stores: Pick<RunStores, "failures" | "parking" | "progress">;
  readonly adapters: Pick<
    Adapters,
    "clock" | "random" | "destinations" | "openFailureReader" | "createEngine"
  >;
  readonly telemetry: Telemetry;
  /** `undefined` until everything is open. */
  readonly control: () => Pick<ControlPlane, "mappings"> | undefined;
}

/** What a process has to do with failures: it lists them, reads them, and feeds redrives with them. */
export class RunFailures {
  readonly index: FailureIndex;
  readonly notes: IndexWriter;
  readonly readers: FailureReaders;
  readonly redrives: RedriveBook;
  readonly #feed: RedriveFeeds;
  readonly #options: RunFailuresOptions;

  constructor(options: RunFailuresOptions) {
    const { stores, adapters, telemetry, control } = options;
    this.#options = options;
    const { clock, random, destinations, openFailureReader } = adapters;
    const { failures: index, parking: store } = stores;
    this.index = index;
    this.notes = new IndexWriter({ index, clock, telemetry });
    this.readers = new FailureReaders(openFailureReader, destinations);
    this.redrives = new RedriveBook({ store, clock, random });
    this.#feed = new RedriveFeeds({
      index,
      readers: this.readers,
      redrives: this.redrives,
      clock,
      resourceOf: async (uuid) => (await (control() ?? starting()).mappings.get(uuid)).resource,
    });
  }

  /** An engine that tells of what it gives up, and whose mappings are redriven where they run. */
  engine(made: EngineOptions & { readonly invokers: InvokerBook }, functions: OpensFunctions): Engine {
    const { stores, adapters, telemetry } = this.#options;
    const engine = adapters.createEngine({ ...made, failures: this.notes });
    const { parking: store, progress } = stores;
    const { invokers, owner, settings, clock, random, tracing } = made;
    const surroundings = { store, feed: this.#feed, clock, random, telemetry, tracing, digest: uuidOfText };
    const redriver = new Redriver({ owner, progress, settings, ...surroundings });
    return redrivingEngine({ engine, redriver, invokers, telemetry, functions, clock, bounds: settings });
  }

  /** What waits to be listed is written first. */
  async close(): Promise<void> {
    await this.notes.close();
    await Promise.all([this.#feed.close(), this.readers.close()]);
  }
}

function starting(): never {
  throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "millrace is starting.");
}
