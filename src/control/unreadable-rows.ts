import type { Telemetry } from "../ports/telemetry.ts";

/** Rows that this version cannot read: each is told of once. */
export class UnreadableRows {
  readonly #telemetry: Pick<Telemetry, "log">;
  readonly #told = new Set<string>();

  constructor(telemetry: Pick<Telemetry, "log">) {
    this.#telemetry = telemetry;
  }

  /** By kind and name. */
  tell(names: readonly string[]): void {
    const remedy = "Run the version that wrote it, or apply the manifests again.";
    for (const what of names)
      this.tellOnce(what, `The ${what} is kept in a form that this version cannot read. ${remedy}`);
  }

  tellOnce(what: string, text: string): void {
    if (!this.#told.has(what)) this.#telemetry.log("error", text, {});
    this.#told.add(what);
  }
}
