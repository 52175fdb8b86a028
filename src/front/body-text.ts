import { isUtf8 } from "node:buffer";
import type { FrontRequest } from "./exchange.ts";
import { headerValue } from "./wire-headers.ts";

/** A body as an event has it. */
export interface EventBody {
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

const TEXTS: readonly string[] = ["application/json", "application/xml", "application/javascript"];

/** As text where its type is one and it is not compressed, else in Base64 (invocation §13.1, §13.4). */
export function eventBody({ headers, body }: Pick<FrontRequest, "headers" | "body">): EventBody {
  const type = mediaType(headerValue(headers, "content-type"));
  const isText = type.startsWith("text/") || TEXTS.includes(type);
  const isEncoded = headerValue(headers, "content-encoding") !== undefined;
  // What is no UTF-8 could not be told from what it would become.
  const isBase64Encoded = !isText || isEncoded || !isUtf8(body);
  return { body: body.toString(isBase64Encoded ? "base64" : "utf8"), isBase64Encoded };
}

/** Without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  const [type = ""] = (header ?? "").split(";", 1);
  return type.trim().toLowerCase();
}

/**
 * AWS reads Base64 of both alphabets, without padding, and over whatever else stands in it, as Node does; a text that
 * is none gives what its letters give.
 */
export function decodedBody(text: string): Uint8Array {
  return Buffer.from(text, "base64");
}
