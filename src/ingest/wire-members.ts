import { bytesOfBase64 } from "../model/base64.ts";
import { elementTexts, memberTexts } from "../model/exact-json.ts";
import { isJson } from "../model/json-check.ts";
import { nestsDeeper } from "../model/json-scan.ts";
import { ProducerFault } from "./producer-fault.ts";

/** Deeper than any request of these services. */
const DEPTH_MAX = 16;
/** More than any structure of theirs has. */
const MEMBERS_MAX = 64;

/**
 * The members of a JSON object of a request. Nothing is made of a member before somebody asks for it: a few megabytes
 * of brackets would take half a gigabyte as values.
 */
export class WireMembers {
  readonly #texts: ReadonlyMap<string, string>;

  private constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  /** @throws ProducerFault SerializationException */
  static ofBody(body: Buffer): WireMembers {
    if (body.length === 0) return new WireMembers(new Map());
    if (!isJson(body)) throw serialization("The request is not JSON.");
    const text = decoded(body);
    if (nestsDeeper(text, DEPTH_MAX)) throw serialization("The request is nested too deep.");
    return WireMembers.#of(text);
  }

  static #of(json: string): WireMembers {
    if (!json.trimStart().startsWith("{")) throw serialization("Start of structure expected.");
    const texts = new Map<string, string>();
    for (const { name, text } of memberTexts(json)) {
      texts.set(name, text);
      if (texts.size > MEMBERS_MAX) throw serialization(`A structure has more than ${MEMBERS_MAX} members.`);
    }
    return new WireMembers(texts);
  }

  get names(): readonly string[] {
    return [...this.#texts.keys()];
  }

  text(name: string): string | undefined {
    const json = this.#jsonOf(name);
    if (json === undefined) return undefined;
    if (!json.startsWith('"')) throw mismatch(json, name, "a String");
    return String(JSON.parse(json));
  }

  integer(name: string): number | undefined {
    const json = this.#jsonOf(name);
    if (json === undefined) return undefined;
    if (!/^-?\d{1,15}$/.test(json)) throw mismatch(json, name, "an Integer");
    return Number(json);
  }

  bytes(name: string): Buffer | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const bytes = bytesOfBase64(text);
    if (bytes === undefined) throw serialization(`${name} is not Base64.`);
    return bytes;
  }

  object(name: string): WireMembers | undefined {
    const json = this.#jsonOf(name);
    if (json === undefined) return undefined;
    if (!json.startsWith("{")) throw mismatch(json, name, "a structure");
    return WireMembers.#of(json);
  }

  /** No more than `most` and one: that there are more is seen, and none is made of the rest. */
  objects(name: string, most: number): readonly WireMembers[] | undefined {
    return this.#elements(name, most)?.map((json) => WireMembers.#of(json));
  }

  /** As `objects`. */
  list(name: string, most: number): readonly string[] | undefined {
    return this.#elements(name, most)?.map((json) => {
      if (!json.startsWith('"')) throw mismatch(json, name, "a String");
      return String(JSON.parse(json));
    });
  }

  #elements(name: string, most: number): readonly string[] | undefined {
    const json = this.#jsonOf(name);
    if (json === undefined) return undefined;
    if (!json.startsWith("[")) throw mismatch(json, name, "a list");
    const found: string[] = [];
    for (const element of elementTexts(json)) {
      found.push(element);
      if (found.length > most) break;
    }
    return found;
  }

  #jsonOf(name: string): string | undefined {
    const json = this.#texts.get(name);
    return json === "null" ? undefined : json;
  }
}

function decoded(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw serialization("The request is not UTF-8.");
  }
}

function mismatch(json: string, name: string, wanted: string): ProducerFault {
  const found =
    json.startsWith("{") || json.startsWith("[") ? "A structure or list" : "A value of another type";
  return serialization(`${found} can not be converted to ${wanted}: ${name}.`);
}

function serialization(message: string): ProducerFault {
  return new ProducerFault("SerializationException", message);
}
