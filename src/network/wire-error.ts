/** The codes of Node's sockets, where there is one; else one of our own. */
export type WireErrorCode = "ECONNRESET" | "ETIMEDOUT" | "ERR_HTTP_ANSWER";

/** Why an exchange has no whole answer, when no socket says it. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
