import { SchemaProblem } from "./schema-frame.ts";

/**
 * JSON of what a decoder made: whole numbers of any size as digits, bytes as Avro's own JSON has them (a character a
 * byte), numbers that JSON has not as texts. What would become larger than `bytesMax` is refused while it is written.
 * @throws SchemaProblem
 */
export function boundedJson(value: unknown, bytesMax: number): Buffer {
  const writer = new BoundedWriter(bytesMax);
  writer.write(value);
  return Buffer.from(writer.text);
}

class BoundedWriter {
  text = "";
  readonly #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  write(value: unknown): void {
    if (value === null || value === undefined) this.#add("null");
    else if (typeof value === "string") this.#add(JSON.stringify(value));
    else if (typeof value === "boolean" || typeof value === "bigint") this.#add(String(value));
    else if (typeof value === "number") this.#add(Number.isFinite(value) ? String(value) : `"${value}"`);
    else if (value instanceof Uint8Array) this.#add(JSON.stringify(Buffer.from(value).toString("latin1")));
    else if (Array.isArray(value)) this.#list(value);
    else if (typeof value === "object") this.#object(value);
    else throw new SchemaProblem(`it holds a ${typeof value}, which JSON has not`);
  }

  #list(items: readonly unknown[]): void {
    this.#add("[");
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#add(",");
      this.write(item);
    }
    this.#add("]");
  }

  #object(object: object): void {
    let before = "{";
    for (const name of Object.keys(object)) {
      this.#add(`${before}${JSON.stringify(name)}:`);
      this.write(Reflect.get(object, name));
      before = ",";
    }
    this.#add(before === "{" ? "{}" : "}");
  }

  #add(text: string): void {
    this.text += text;
    if (this.text.length > this.#bytesMax)
      throw new SchemaProblem(`its JSON has more than ${this.#bytesMax} bytes`);
  }
}
