import { ControlFault, validationFault } from "../../control/control-fault.ts";

const SHOWN_CHARS_MAX = 140;

/** Members of a request, read one by one; what is outside of its range is told together, as AWS's front end does. */
export class Members {
  readonly #body: Readonly<Record<string, unknown>>;
  readonly #faults: string[];
  readonly #place: string;

  /** `place`: of the structure that this is, for texts. */
  constructor(body: Readonly<Record<string, unknown>>, faults: string[] = [], place = "") {
    this.#body = body;
    this.#faults = faults;
    this.#place = place;
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  text(name: string, charsMax?: number): string | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw wrongType(value, "String");
    if (charsMax !== undefined && value.length > charsMax)
      this.constraint(this.#field(name), value, `Member must have length less than or equal to ${charsMax}`);
    return value;
  }

  whole(name: string, min: number, max: number): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(value, "Integer");
    if (value < min)
      this.constraint(this.#field(name), value, `Member must have value greater than or equal to ${min}`);
    if (value > max)
      this.constraint(this.#field(name), value, `Member must have value less than or equal to ${max}`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#value(name);
    if (value === undefined) return false;
    if (typeof value !== "boolean") throw wrongType(value, "Boolean");
    return value;
  }

  oneOf(name: string, known: readonly string[]): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !known.includes(value))
      this.constraint(this.#field(name), value, `Member must satisfy enum value set: [${known.join(", ")}]`);
    return value;
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw new ControlFault("SerializationException", "Expected list or null");
    return value.map((one: unknown) => {
      if (typeof one !== "string") throw wrongType(one, "String");
      return one;
    });
  }

  structure(name: string): Members | undefined {
    const value = this.#object(name);
    return value && new Members({ ...value }, this.#faults, `${this.#field(name)}.`);
  }

  /** A map of texts. */
  map(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.#object(name);
    if (value === undefined) return undefined;
    const entries = Object.entries(value).map(([key, text]) => {
      if (typeof text !== "string") throw wrongType(text, "String");
      return [key, text] as const;
    });
    return Object.fromEntries(entries);
  }

  /** A map of numbers. */
  numbers(name: string): Readonly<Record<string, number>> | undefined {
    const value = this.#object(name);
    if (value === undefined) return undefined;
    const entries = Object.entries(value).map(([key, number]) => {
      if (typeof number !== "number") throw wrongType(number, "Double");
      return [key, number] as const;
    });
    return Object.fromEntries(entries);
  }

  constraint(field: string, value: string | number | null, text: string): void {
    const shown = value === null ? "null" : `'${String(value).slice(0, SHOWN_CHARS_MAX)}'`;
    this.#faults.push(`Value ${shown} at '${field}' failed to satisfy constraint: ${text}`);
  }

  /** @throws ControlFault ValidationException with all that was found */
  check(): void {
    if (this.#faults.length > 0) throw validationFault(this.#faults);
  }

  #value(name: string): unknown {
    return this.#body[name] ?? undefined;
  }

  #object(name: string): object | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    throw new ControlFault("SerializationException", "Expected structure or null");
  }

  #field(name: string): string {
    return `${this.#place}${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
  }
}

function wrongType(value: unknown, wanted: string): ControlFault {
  if (typeof value === "object")
    return new ControlFault("SerializationException", "Start of structure or map found where not expected.");
  const type =
    typeof value === "string" ? "STRING_VALUE" : typeof value === "number" ? "NUMBER_VALUE" : "BOOLEAN_VALUE";
  return new ControlFault(
    "SerializationException",
    `${type} can not be converted to ${article(wanted)} ${wanted}`,
  );
}

function article(noun: string): string {
  return /^[AEIOU]/.test(noun) ? "an" : "a";
}
