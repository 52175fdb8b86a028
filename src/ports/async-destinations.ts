import type { NewAsyncItem } from "../model/async-item.ts";
import type { Envelope } from "../model/envelope.ts";
import type { Delivered } from "./destination.ts";

/** Where records of asynchronous events go, by the URIs that configurations name. */
export interface AsyncDestinations {
  routeOf(uri: string): AsyncRoute;
  /**
   * Rejects as `Destination.deliver` does; also with `ERR_MILLRACE_DESTINATION_UNAVAILABLE` where what is named cannot
   * be opened now.
   */
  deliver(uri: string, envelope: Envelope, signal: AbortSignal): Promise<Delivered | undefined>;
  close(): Promise<void>;
}

/** A function gets the record as an event of its own; a bus hands it to its rules. */
export type AsyncRoute =
  | { readonly kind: "function"; readonly name: string; readonly qualifier: string }
  | { readonly kind: "bus"; itemsOf(entry: BusEntry): readonly NewAsyncItem[] }
  | { readonly kind: "delivery" };

/** What a bus gets of an event that came to its end. */
export interface BusEntry {
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: string;
  readonly resources: readonly string[];
  readonly lineage?: string | undefined;
}
