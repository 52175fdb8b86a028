import { KNOWN_SECRETS } from "./known-secrets.ts";

const REDACTED = "[redacted]";
/** What Node calls to show an object. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * A text that must not be seen: a password, a private key. Whatever writes it out by accident, a log, an error, JSON, a
 * template, writes `[redacted]`; only `reveal` gives the text, to the protocol that needs it. What others write of it
 * the `Redactor` takes out.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    KNOWN_SECRETS.add(text);
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
