/** Pieces that readers of JSON stumble over. */
const PIECES = [
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "\\u005f_proto__",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "true",
  "1e999",
  "-0",
  '"__proto__":',
  '"constructor":',
  "\u00e9",
  "\ud83d\ude00",
  "\ufeff",
  "\u0000",
  '"MessageId":"',
  '"Body":null,',
  '"ReceiptHandle":7,',
  '"Data":"=="',
  '"Records":{}',
  '"Messages":null',
  '"SequenceNumber":"\\"',
  "AAAA",
  "=",
] as const;

const VALUES: readonly unknown[] = [
  null,
  7,
  -1.5,
  true,
  "",
  "text",
  "\ud800",
  [],
  {},
  [null],
  { N: "1" },
  "AAA",
  "AA==",
];

/** A valid answer in which a value is another, or is gone. */
export function changedAnswer(answer: Buffer, chance: () => number): Buffer {
  const below = (limit: number) => Math.floor(chance() * limit);
  const value: unknown = JSON.parse(answer.toString());
  const change = (inside: object, depth: number) => {
    const names = Object.keys(inside);
    const name = names[below(names.length)];
    if (name === undefined) return;
    const member: unknown = Reflect.get(inside, name);
    if (typeof member === "object" && member !== null && depth > 0 && below(6) > 0) change(member, depth - 1);
    else if (below(6) === 0) Reflect.deleteProperty(inside, name);
    else Reflect.set(inside, name, VALUES[below(VALUES.length)]);
  };
  if (typeof value === "object" && value !== null) change(value, 6);
  return Buffer.from(JSON.stringify(value));
}

/** A byte, a piece or a stretch of the answer is another, is there twice, or is gone. */
export function mutated(answer: Buffer, chance: () => number): Buffer {
  const below = (limit: number) => Math.floor(chance() * limit);
  let bytes = answer;
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const until = Math.min(bytes.length, at + below(below(4) === 0 ? 400 : 6));
    const [before, cut, after] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)];
    switch (below(5)) {
      case 0:
        bytes = Buffer.concat([before, Buffer.from([below(256)]), after]);
        break;
      case 1:
        bytes = Buffer.concat([before, Buffer.from(PIECES[below(PIECES.length)] ?? ""), after]);
        break;
      case 2:
        bytes = Buffer.concat([before, after]);
        break;
      case 3:
        bytes = Buffer.concat([before, cut, cut, after]);
        break;
      default: {
        const from = below(bytes.length + 1);
        bytes = Buffer.concat([before, bytes.subarray(from, from + below(60)), after]);
      }
    }
  }
  return bytes;
}
