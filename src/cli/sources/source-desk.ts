import type { OutcomeDocument } from "../../control/embedded/record-text.ts";
import type { SourceDocument } from "../../control/embedded/source-document.ts";

/** Streams, or queues, that millrace keeps itself: over the API of a process that runs, or in a file. */
export interface SourceDesk {
  /** What people read of the place: `the API at …`, `the file …`. */
  readonly place: string;
  /** What a manifest says of the place; absent: the process knows. */
  readonly endpoints?: string;
  list(): Promise<readonly SourceDocument[]>;
  create(members: Readonly<Record<string, unknown>>): Promise<SourceDocument>;
  /** `items`: as the API takes them, each JSON on a line of its own. One answer an item, in order. */
  put(name: string, items: readonly string[]): Promise<readonly OutcomeDocument[]>;
  peek(name: string, wanted: Wanted): Promise<readonly SourceDocument[]>;
  /** Queues only. Number of messages. */
  purge?(name: string): Promise<number>;
  close(): Promise<void>;
}

export interface Wanted {
  readonly count: number;
  /** Streams only. */
  readonly shardId?: string | undefined;
  readonly which?: "oldest" | "newest" | undefined;
}

export type SourceKind = "stream" | "queue";
