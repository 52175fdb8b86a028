import type { ControlPlane } from "../control/control-plane.ts";
import { createEmbeddedBooks, type EmbeddedBooks } from "../control/embedded/embedded-book.ts";
import type { Connector } from "../ports/connector.ts";
import type { RunOptions } from "./run-options.ts";

/** The streams and queues that connectors keep, once the control plane knows where mappings read. */
export class RunEmbeddedBooks {
  readonly #connectors: readonly Connector[];
  readonly #options: Pick<RunOptions, "endpoints" | "place">;
  #books: EmbeddedBooks | undefined;

  constructor(connectors: readonly Connector[], options: Pick<RunOptions, "endpoints" | "place">) {
    this.#connectors = connectors;
    this.#options = options;
  }

  of(control: ControlPlane | undefined): EmbeddedBooks | undefined {
    if (control === undefined) return undefined;
    const { endpoints, place } = this.#options;
    this.#books ??= createEmbeddedBooks(this.#connectors, {
      endpoints,
      place,
      mappings: async () =>
        (await control.mappings.list({})).map(({ resource }) => ({
          eventSourceArn: resource.mapping.eventSourceArn,
          endpoints: resource.endpoints,
        })),
    });
    return this.#books;
  }

  async close(): Promise<void> {
    await this.#books?.close();
  }
}
