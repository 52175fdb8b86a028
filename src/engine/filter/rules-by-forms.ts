import type { DataForm } from "../../ports/stream-source.ts";
import { type CompiledRules, compileRules } from "./compiled-rules.ts";
import type { Rule } from "./pattern.ts";

type DataForms = Readonly<Record<string, DataForm>>;

/**
 * Some streams' answer to patterns that ask for data in another form than a record has (filters §3): that part of the
 * pattern is left aside, and what it says of the rest decides. A form has rules of its own, compiled at the first
 * record that needs them; there are as many as forms of the keys together, a dozen or so.
 */
export class RulesByForms {
  readonly #rules: readonly Rule[];
  readonly #all: CompiledRules;
  readonly #compiled = new Map<string, CompiledRules>();

  constructor(rules: readonly Rule[], all: CompiledRules) {
    this.#rules = rules;
    this.#all = all;
  }

  of(forms: DataForms): Pick<CompiledRules, "matches"> {
    let name = "";
    for (const key in forms) name += `${key}:${forms[key]} `;
    let compiled = this.#compiled.get(name);
    if (compiled === undefined) {
      compiled = this.#compile(forms);
      this.#compiled.set(name, compiled);
    }
    return compiled;
  }

  #compile(forms: DataForms): CompiledRules {
    const remaining = this.#rules.map((rule) => withoutOtherForms(rule, forms));
    if (remaining.every((rule, index) => rule.size === this.#rules[index]?.size)) return this.#all;
    // Nothing is asked for any more: every record passes.
    if (remaining.some((rule) => rule.size === 0)) return { matches: () => true, stepsPerUnitMax: 0 };
    return compileRules(remaining);
  }
}

function withoutOtherForms(rule: Rule, forms: DataForms): Rule {
  const left = [...rule].filter(([path]) =>
    Object.entries(forms).every(([key, form]) => isOfForm(path, key, form)),
  );
  return new Map(left);
}

/** Fields below a data key ask for JSON, the data key itself for a text. */
function isOfForm(path: string, key: string, form: DataForm): boolean {
  const wantsJson = path.startsWith(`${key}.`);
  const wantsText = path === key;
  switch (form) {
    case "json":
      return !wantsText;
    case "text":
      return !wantsJson;
    case "binary":
      return !wantsJson && !wantsText;
    case "absent":
      return true;
  }
}
