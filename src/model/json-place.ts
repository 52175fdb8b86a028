import { elementTexts, memberText } from "./exact-json.ts";

/** A name of a member, or the number of an element. */
export type PlaceStep = string | number;

const STEP = /\.([^.[\]<>'"\s]+)|\[(\d{1,6})\]|\['([^'<>]{1,256})'\]/y;
const STEPS_MAX = 100;

/**
 * The steps of a path such as `$.detail.items[0]['a b']`; `undefined`: it is none. Wildcards and filters of JSONPath
 * name several places, and are none.
 */
export function readPlace(path: string): readonly PlaceStep[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: PlaceStep[] = [];
  for (let at = 1; at < path.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const step = STEP.exec(path);
    if (step === null || steps.length >= STEPS_MAX) return undefined;
    const [, plain, index, quoted = ""] = step;
    if (plain === "*") return undefined;
    steps.push(index === undefined ? (plain ?? quoted) : Number(index));
  }
  return steps;
}

/** What stands there, exactly as it is written; `undefined`: nothing. `text` must be valid JSON. */
export function textAtPlace(text: string, steps: readonly PlaceStep[]): string | undefined {
  let found: string | undefined = text;
  for (const step of steps) {
    if (found === undefined) return undefined;
    found = typeof step === "string" ? memberText(found, step) : elementAt(found, step);
  }
  return found;
}

function elementAt(text: string, index: number): string | undefined {
  let at = 0;
  for (const element of elementTexts(text)) {
    if (at === index) return element;
    at += 1;
  }
  return undefined;
}
