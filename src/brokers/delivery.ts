import type { SentBody } from "./sent-message.ts";

/** What a channel was sent. All times are monotonic. */
export interface Delivery {
  readonly tag: number;
  readonly body: SentBody;
  /** Since when the broker waits for its acknowledgement. */
  readonly cameMs: number;
  state: "waiting" | "given" | "gone";
  gives: number;
  /** Batches with it that failed. */
  failures: number;
  /** It waits here until then. */
  notBeforeMs: number;
  /** It is back when nobody has settled it by then. */
  holdUntilMs: number;
}
