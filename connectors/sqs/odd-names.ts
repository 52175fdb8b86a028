/**
 * SQS lets an attribute be called `__proto__`. Made a member of an ordinary object, as the SDK does, such a name sets
 * the object's prototype: the attribute is gone, and the SDK refuses the whole answer. So it goes through the SDK under
 * another name, which no attribute can have.
 */
const ODD = "__proto__";
const ALIAS = "__proto__:";

/** The name that the sender gave. */
export function nameOf(name: string): string {
  return name === ALIAS ? ODD : name;
}

/** An answer to ReceiveMessage whose attributes can be read by name; any other body stays as it is. */
export function withoutOddNames(body: Buffer): Buffer {
  // Nearly all: without a copy. The name may be written with escapes.
  if (!body.includes(ODD) && !body.includes("\\u005")) return body;
  const answer = parse(body);
  if (!isObject(answer) || !Array.isArray(answer["Messages"])) return body;
  let isChanged = false;
  const messages = answer["Messages"].map((message: unknown) => {
    const attributes = isObject(message) ? message["MessageAttributes"] : undefined;
    if (!isObject(message) || !isObject(attributes) || !Object.hasOwn(attributes, ODD)) return message;
    isChanged = true;
    const entries = Object.entries(attributes).map(
      ([name, value]) => [name === ODD ? ALIAS : name, value] as const,
    );
    return { ...message, MessageAttributes: Object.fromEntries(entries) };
  });
  return isChanged ? Buffer.from(JSON.stringify({ ...answer, Messages: messages })) : body;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // The SDK says what is wrong with it.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
