const REDACTED = "[redacted]";
/** What Node calls to show an object. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * A text that must not be seen: a password, a private key. Whatever writes it out by accident, a log, an error, JSON, a
 * template, writes `[redacted]`; only `reveal` gives the text, to the protocol that needs it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [INSPECT](): string {
    return REDACTED;
  }
}
