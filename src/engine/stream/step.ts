import type { Segment } from "./segment.ts";

/** What a batch does after a part of it was tried, or was not. */
export type Step =
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  /** These come next, in this order, before anything else of the lane. */
  | { readonly kind: "next"; readonly segments: readonly Segment[] };

export const DONE: Step = { kind: "done" };
export const STOPPED: Step = { kind: "stopped" };
