/** Twice what is told of it: what is taken out of a text before it is told makes it shorter. */
const TAIL_CHARS = 8 * 1024;

/** The end of what a function prints in one invocation. */
export class OutputTail {
  #text = "";

  add(text: string): void {
    this.#text += text;
    // Not each time: a function may print in many small pieces.
    if (this.#text.length > 2 * TAIL_CHARS) this.#text = this.#text.slice(-TAIL_CHARS);
  }

  get text(): string {
    return this.#text.slice(-TAIL_CHARS);
  }

  clear(): void {
    this.#text = "";
  }
}
