import type { Document } from "mongodb";

/** A command that fails, as MongoDB answers it. */
export class CommandError extends Error {
  readonly answer: Document;

  constructor(code: number, codeName: string, text: string, errorLabels: readonly string[] = []) {
    super(text);
    this.answer = {
      ok: 0,
      errmsg: text,
      code,
      codeName,
      ...(errorLabels.length === 0 ? {} : { errorLabels }),
    };
  }
}
