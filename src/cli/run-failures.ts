import { FailureReaders } from "../control/failure-readers.ts";
import type { MappingControl } from "../control/mapping-control.ts";
import { RedriveFeeds } from "../control/redrive-feeds.ts";
import { IndexWriter } from "../failures/index-writer.ts";
import { MillraceError } from "../model/errors.ts";
import { RedriveBook } from "../parking/redrive-book.ts";
import type { FailureIndex } from "../ports/failure-index.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Adapters } from "./adapters.ts";
import type { RunStores } from "./run-stores.ts";

export interface RunFailuresOptions {
  readonly stores: Pick<RunStores, "failures" | "parking">;
  readonly adapters: Pick<Adapters, "clock" | "random" | "destinations" | "openFailureReader">;
  readonly telemetry: Telemetry;
  /** `undefined` until everything is open. */
  readonly mappings: () => MappingControl | undefined;
}

/** What a process has to do with failures: it lists them, reads them, and feeds redrives with them. */
export class RunFailures {
  readonly index: FailureIndex;
  readonly notes: IndexWriter;
  readonly readers: FailureReaders;
  /** `undefined`: the store keeps no redrives. */
  readonly redrives: RedriveBook | undefined;
  readonly feed: RedriveFeeds | undefined;

  constructor({ stores, adapters, telemetry, mappings }: RunFailuresOptions) {
    const { clock, random, destinations, openFailureReader } = adapters;
    const { failures: index, parking: store } = stores;
    this.index = index;
    this.notes = new IndexWriter({ index, clock, telemetry });
    this.readers = new FailureReaders(openFailureReader, destinations);
    const redrives = store && new RedriveBook({ store, clock, random });
    this.redrives = redrives;
    this.feed =
      redrives &&
      new RedriveFeeds({
        index,
        readers: this.readers,
        redrives,
        clock,
        resourceOf: async (uuid) => (await (mappings() ?? starting()).get(uuid)).resource,
      });
  }

  /** What waits to be listed is written first. */
  async close(): Promise<void> {
    await this.notes.close();
    await Promise.all([this.feed?.close(), this.readers.close()]);
  }
}

function starting(): never {
  throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "millrace is starting.");
}
