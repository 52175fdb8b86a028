import { KafkaFault } from "./fault.ts";
import type { DataFormat } from "./registry-schema.ts";
import { createDecoder, type SchemaDecoder } from "./schema-decoders.ts";
import { SchemaProblem } from "./schema-frame.ts";
import type { SchemaRegistry } from "./schema-registry.ts";

/** A schema that was read, or why none can be used. */
export type KnownSchema =
  | { readonly kind: "decoder"; readonly dataFormat: DataFormat; readonly decode: SchemaDecoder }
  | { readonly kind: "problem"; readonly problem: string };

const SCHEMAS_MAX = 1_000;
/** A registry of several nodes may not have a new schema at once: that it has none counts when it is said again. */
const ABSENT_MS = 10_000;
/** What was said to be absent, or unusable, is asked for again after so long. */
const PROBLEM_MS = 60_000;

interface Entry {
  readonly known: KnownSchema;
  readonly askAgainMs: number;
}

/** The schemas of one mapping's registry, kept by their ids, which never mean another schema. */
export class SchemaBook {
  readonly #registry: SchemaRegistry;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<KnownSchema>>();
  /** Since when the registry says that it has none of them. */
  readonly #absentMs = new Map<string, number>();

  constructor(registry: SchemaRegistry, now: () => number = () => performance.now()) {
    this.#registry = registry;
    this.#now = now;
  }

  get kind(): SchemaRegistry["kind"] {
    return this.#registry.kind;
  }

  /** @throws KafkaFault while the registry does not answer, refuses us, or has said only once that it has none. */
  async find(id: string): Promise<KnownSchema> {
    const entry = this.#entries.get(id);
    if (entry !== undefined && this.#now() < entry.askAgainMs) {
      // The one that was used last goes last.
      this.#entries.delete(id);
      this.#entries.set(id, entry);
      return entry.known;
    }
    const asking = this.#asking.get(id) ?? this.#ask(id);
    this.#asking.set(id, asking);
    return await asking;
  }

  async #ask(id: string): Promise<KnownSchema> {
    try {
      const known = await this.#read(id);
      const isLasting = known.kind === "decoder";
      this.#keep(id, { known, askAgainMs: isLasting ? Number.POSITIVE_INFINITY : this.#now() + PROBLEM_MS });
      return known;
    } finally {
      this.#asking.delete(id);
    }
  }

  async #read(id: string): Promise<KnownSchema> {
    try {
      const schema = await this.#registry.schema(id);
      if (schema === undefined) return this.#absent(id);
      this.#absentMs.delete(id);
      const decode = await createDecoder(schema, this.kind === "glue");
      return { kind: "decoder", dataFormat: schema.dataFormat, decode };
    } catch (error) {
      if (!(error instanceof SchemaProblem)) throw error;
      return { kind: "problem", problem: `${error.message} (schema ${id})` };
    }
  }

  #absent(id: string): KnownSchema {
    const sinceMs = this.#absentMs.get(id) ?? this.#now();
    if (this.#absentMs.size >= SCHEMAS_MAX) this.#absentMs.clear();
    this.#absentMs.set(id, sinceMs);
    // plant: one-answer-that-a-schema-is-not-there-gives-its-records-up
    if (this.#now() - sinceMs < ABSENT_MS) {
      throw new KafkaFault(
        "protocol",
        `The schema registry has no schema ${id}. If it says so again in ${ABSENT_MS / 1000} s, records with it are given up.`,
      );
    }
    return { kind: "problem", problem: `the schema registry has no schema ${id}` };
  }

  #keep(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= SCHEMAS_MAX) return;
      this.#entries.delete(oldest);
    }
  }
}
