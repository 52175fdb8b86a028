import type { FastifyRequest } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import { elementTexts } from "../model/exact-json.ts";
import { isJson } from "../model/json-check.ts";
import { bodyOf } from "./route.ts";
import { ApiFault } from "./wire-fault.ts";

/** As the largest event that a function can be given: what is larger could not be delivered. */
export const ITEMS_BYTES_MAX = 6 * 1024 * 1024;
const ITEMS_MAX = 10_000;

/** `application/x-www-form-urlencoded` is what `curl -d` says of whatever it sends. */
const JSON_TYPES: readonly string[] = ["", "application/json", "application/x-www-form-urlencoded"];
const LINES_TYPES: readonly string[] = [
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
];

/**
 * The items of a body, each as it was written: a JSON array of them or one alone, or NDJSON, a line each.
 * @throws ApiFault UnsupportedMediaTypeException, RequestTooLargeException; ControlFault SerializationException
 */
export function itemTexts(request: FastifyRequest): readonly string[] {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  const name = type.trim().toLowerCase();
  const areLines = LINES_TYPES.includes(name);
  if (!areLines && !JSON_TYPES.includes(name)) {
    const message =
      "The content type of the body is to be application/json, or application/x-ndjson for a line each.";
    throw new ApiFault("UnsupportedMediaTypeException", message);
  }
  const body = bodyOf(request);
  const text = decoded(body);
  if (areLines) return bounded(text.split("\n").filter((line) => line.trim() !== ""));
  if (!isJson(body)) throw serialization("Could not parse request body into json.");
  const only = text.trim();
  return only.startsWith("[") ? bounded([...within(elementTexts(only))]) : [only];
}

function decoded(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw serialization("The request body is not UTF-8.");
  }
}

/** One more than may be, so that it is seen. */
function* within(texts: Iterable<string>): Generator<string> {
  let count = 0;
  for (const text of texts) {
    yield text;
    if (++count > ITEMS_MAX) return;
  }
}

function bounded(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) throw serialization("The request body holds nothing to store.");
  if (texts.length <= ITEMS_MAX) return texts;
  const message = `The request body has more than ${ITEMS_MAX} items. Send them in several requests.`;
  throw new ApiFault("RequestTooLargeException", message);
}

function serialization(message: string): ControlFault {
  return new ControlFault("SerializationException", message);
}
