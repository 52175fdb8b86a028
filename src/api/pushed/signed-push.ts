import type { IncomingHttpHeaders } from "node:http";

/** Messages that say by a signature who sends them: their senders have no credentials of this API. */
export interface SignedPush {
  /**
   * What a message for this function comes to. Never rejects, but for what is no JSON within bounds.
   * @throws ControlFault
   */
  take(functionName: string, headers: IncomingHttpHeaders, body: Buffer): Promise<SignedMessage>;
  /** The event of a body alone, whose sender has shown credentials. */
  bare(headers: IncomingHttpHeaders, body: Buffer): string;
}

export type SignedMessage =
  /** To be handed over to the function; `handedOver` is called once that is durable. */
  | { readonly kind: "event"; readonly event: string; handedOver(): void }
  /** There is nothing more to do. */
  | { readonly kind: "done" }
  /** `status`: 4xx, where the sender is not to send it again, and 503 where it is. */
  | { readonly kind: "refused"; readonly status: 400 | 403 | 404 | 503; readonly message: string };
