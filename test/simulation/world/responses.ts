import type { SeededRandom } from "../random.ts";

/** Responses of functions, as bytes; streams §5.4 has the table of what they mean. */
const text = new TextEncoder();
/** Scaled down: what matters is the rule, not the megabyte. */
export const WINDOW_STATE_BYTES = 2_000;
const SUCCESSES = ["", "null", "{}", "[]", '{"batchItemFailures":[]}', '{"batchItemFailures":null}'].map(
  (body) => text.encode(body),
);
const MALFORMED = [
  '{"batchItemFailures":[{"itemIdentifier":"9999999999999"}]}',
  '{"batchItemFailures":[{"itemIdentifier":""}]}',
  '{"batchItemFailures":[{"itemIdentifier":null}]}',
  '{"batchItemFailures":[{"foo":123}]}',
  '{"batchItemFailures":[{"foo":null}]}',
  '{"batchItemFailures":[{}]}',
  '{"batchItemFailures":[{"itemIdentifier":99999999999}]}',
].map((body) => text.encode(body));
const GARBAGE = ["<html>502</html>", "{", '{"batchItemFailures":', "\u0000\u0001", "}{", '"'].map((body) =>
  text.encode(body),
);
const OVERSIZED_STATE = text.encode(`{"state":{"big":"${"x".repeat(WINDOW_STATE_BYTES)}"}}`);

export function successBody(random: SeededRandom): Uint8Array {
  return random.pick(SUCCESSES);
}

/** A body without any meaning for reports of failures: what a function answers that knows nothing of them. */
export function malformedBody(random: SeededRandom): Uint8Array {
  return random.pick(MALFORMED);
}

export function garbageBody(random: SeededRandom): Uint8Array {
  return random.pick(GARBAGE);
}

export function failuresBody(positions: readonly string[]): Uint8Array {
  const items = positions.map((position) => `{"itemIdentifier":"${position}"}`);
  return text.encode(`{"batchItemFailures":[${items.join(",")}]}`);
}

export function listedBody(
  places: readonly { readonly partition: string; readonly position: string }[],
): Uint8Array {
  const items = places.map(
    ({ partition, position }) => `{"itemIdentifier":{"partition":"${partition}","offset":"${position}"}}`,
  );
  return text.encode(`{"batchItemFailures":[${items.join(",")}]}`);
}

export function stateBody(stateJson: string, positions: readonly string[]): Uint8Array {
  const items = positions.map((position) => `{"itemIdentifier":"${position}"}`);
  return text.encode(`{"state":${stateJson},"batchItemFailures":[${items.join(",")}]}`);
}

export function oversizedStateBody(): Uint8Array {
  return OVERSIZED_STATE;
}

/** What JavaScript's numbers cannot hold and its printer would write otherwise: a state is handed on as it stands. */
const HARD_TO_PRINT = '"whole":12345678901234567890123,"far":1e400,"f":1.0';

/** The state of a window that has seen so many records. */
export function countingState(count: number): string {
  return `{"n":${count},${HARD_TO_PRINT}}`;
}

/** What a state counts; `undefined`: it is none of these, to the letter. */
export function countOf(stateJson: string): number | undefined {
  if (stateJson === "{}") return 0;
  const count = Number(/^\{"n":(\d+),/.exec(stateJson)?.[1]);
  return stateJson === countingState(count) ? count : undefined;
}
