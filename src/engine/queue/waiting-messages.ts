import type { KeySplit } from "../../model/key-split.ts";
import type { TenantsExplanation } from "../explanation.ts";
import type { HeldMessage } from "./held-message.ts";

export interface BatchLimits {
  readonly batchSize: number;
  readonly payloadBytesMax: number;
  readonly envelopeBytes: number;
}

/** Messages of a mapping that wait for a batch, and who goes first. */
export interface WaitingMessages {
  readonly size: number;
  /** In the order of their arrival. */
  readonly messages: readonly HeldMessage[];
  /** Since when the oldest message has waited that could go now; `undefined`: none could. */
  readonly oldestMs: number | undefined;
  /** Waiting would not make the next batch larger. */
  readonly isFull: boolean;
  /** Groups of the messages that wait, those with most of them first. */
  groups(max: number): readonly { readonly group: string; readonly messages: number }[];
  /** Those whose messages are here; `undefined`: nobody asks whose a message is. */
  explainTenants(max: number): TenantsExplanation | undefined;
  /** Messages that count against a room of so many for what is received. */
  sizeWithin(room: number): number;
  add(held: HeldMessage): void;
  /**
   * The next batch; empty when nothing may run now. It runs until `ended`. `split`: its groups are all on one side of
   * it, that of the first.
   */
  take(split?: KeySplit, onOtherSide?: () => void): readonly HeldMessage[];
  /** A batch does not run any more; it had its place for `tookMs`. */
  ended(batch: readonly HeldMessage[], tookMs: number): void;
  /** Takes out the messages that wait behind a failed one of their group: they must not overtake it. */
  takeGroups(groups: ReadonlySet<string>): readonly HeldMessage[];
  /** Those that do not wait here stay where they are. */
  remove(gone: readonly HeldMessage[]): void;
}
