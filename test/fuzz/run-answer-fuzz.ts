import { fuzzAnswers, READERS } from "./fuzz-answers.ts";
import { fuzzWire } from "./fuzz-wire.ts";

const COUNT = 10_000_000;
const PART = 100_000;
const count = Number(process.argv[2] ?? COUNT);
const seed = Number(process.argv[3] ?? 1);
for (const kind of Object.keys(READERS) as (keyof typeof READERS)[]) {
  const total = { read: 0, refused: 0, elements: 0 };
  for (let done = 0, part = 0; done < count; done += PART, part++) {
    const { read, refused, elements } = fuzzAnswers(kind, Math.min(PART, count - done), seed * 1_000 + part);
    total.read += read;
    total.refused += refused;
    total.elements += elements;
  }
  console.log(`${kind}: ${count} mutated answers, ${JSON.stringify(total)}, 0 crashes, 0 wrong`);
}

const wire = { read: 0, refused: 0 };
for (let done = 0, part = 0; done < count; done += PART, part++) {
  const { read, refused } = fuzzWire(Math.min(PART, count - done), seed * 1_000 + part);
  wire.read += read;
  wire.refused += refused;
}
console.log(`wire: ${count} mutated answers of HTTP servers, ${JSON.stringify(wire)}, 0 crashes, 0 wrong`);
