import type { Place } from "../manifests/problem.ts";
import type { UnknownCause } from "./template-value.ts";

/** Something of a template that is not taken over, or not as it stands there: nothing is wrong with the template. */
export interface Remark {
  readonly place: Place;
  /** Logical name of the resource, with the property behind it where one is meant. */
  readonly field: string | undefined;
  readonly message: string;
  readonly remedy: string;
}

/** What is wrong with a template, or with what the caller gave for it. */
export interface TemplateFault {
  readonly place: Place;
  readonly message: string;
  readonly remedy: string;
}

/** Faults and remarks of one template, each once. */
export class Findings {
  readonly #faults = new Map<string, TemplateFault>();
  readonly #remarks = new Map<string, Remark>();

  fault(place: Place, message: string, remedy = "Correct the template at this place"): void {
    const key = `${place.line}:${place.column} ${message}`;
    if (!this.#faults.has(key)) this.#faults.set(key, { place, message, remedy });
  }

  remark(place: Place, field: string | undefined, message: string, remedy: string): void {
    // What stands in Globals is the same for all functions, and what has no field is said of the whole template.
    const key = field === undefined ? message : `${place.line}:${place.column} ${message}`;
    if (!this.#remarks.has(key)) this.#remarks.set(key, { place, field, message, remedy });
  }

  get faults(): readonly TemplateFault[] {
    return [...this.#faults.values()].toSorted(byPlace);
  }

  get remarks(): readonly Remark[] {
    return [...this.#remarks.values()].toSorted(byPlace);
  }
}

function byPlace(a: { readonly place: Place }, b: { readonly place: Place }): number {
  return a.place.line - b.place.line || a.place.column - b.place.column;
}

/** Why a value is not known; `undefined`: that has been said. */
export function causeText(
  cause: UnknownCause,
): { readonly message: string; readonly remedy: string } | undefined {
  switch (cause.kind) {
    case "reported":
      return undefined;
    case "made":
      return {
        message: `AWS makes up ${cause.name} when it makes the ${cause.type}`,
        remedy: `Give --parameter ${cause.name}=VALUE`,
      };
    case "function":
      return { message: `${cause.name} is worked out by AWS alone`, remedy: "Write the value out" };
    case "secret":
      return {
        message: `${cause.name} is a secret, and is neither read nor kept`,
        remedy: "Name a file or a variable that has it",
      };
  }
}
