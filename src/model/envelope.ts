/** What a destination is given. Who gave something up makes it: a destination knows no batch, event or function. */
export interface Envelope {
  /** The same for every delivery of the same thing: destinations drop repeats by it. Another content has another id. */
  readonly id: string;
  /** Path for destinations that keep each as an object of its own; they add what tells it from others of its second. */
  readonly name: string;
  /** The event that it is about. */
  readonly payload: Uint8Array | undefined;
  /** A JSON object. `whole` carries the payload, `metadata` does not. */
  text(form: "metadata" | "whole"): string;
}
