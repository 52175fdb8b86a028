/**
 * A second reading of filters §4, as naive as can be: the event is flattened to fields with the array elements that
 * they stand in, and every choice of fields is tried. Only for small events.
 */
export type Field = {
  readonly name: string;
  readonly value: unknown;
  readonly elements: ReadonlyMap<number, number>;
};

type NaiveRule = ReadonlyMap<string, readonly unknown[]>;

export function naiveMatches(pattern: object, event: object): boolean {
  const fields = flatten(event);
  return expand(pattern, "").some((rule) => {
    const paths = [...rule.keys()].sort();
    return choose(paths, 0, rule, fields, new Map());
  });
}

function choose(
  paths: readonly string[],
  index: number,
  rule: NaiveRule,
  fields: readonly Field[],
  chosen: ReadonlyMap<number, number>,
): boolean {
  const path = paths[index];
  if (path === undefined) return true;
  const tests = rule.get(path) ?? [];
  const reachable = fields.filter((field) => field.name === path && isConsistent(chosen, field));
  const allowsAbsent = tests.some((test) => isOperator(test, "exists") && test["exists"] === false);
  if (allowsAbsent && reachable.length === 0 && choose(paths, index + 1, rule, fields, chosen)) return true;
  return reachable.some(
    (field) =>
      tests.some((test) => naiveValueMatches(test, field.value)) &&
      choose(paths, index + 1, rule, fields, new Map([...chosen, ...field.elements])),
  );
}

function isConsistent(chosen: ReadonlyMap<number, number>, field: Field): boolean {
  return [...field.elements].every(([array, element]) => (chosen.get(array) ?? element) === element);
}

export function flatten(event: object): Field[] {
  const fields: Field[] = [];
  let arrays = 0;
  const visit = (value: unknown, path: readonly string[], elements: ReadonlyMap<number, number>): void => {
    if (Array.isArray(value)) {
      const id = arrays++;
      value.forEach((element: unknown, i) => {
        const isPlain = typeof element !== "object" || element === null;
        visit(element, path, isPlain ? elements : new Map([...elements, [id, i]]));
      });
    } else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) visit(member, [...path, key], elements);
    } else {
      fields.push({ name: path.join("."), value, elements });
    }
  };
  visit(event, [], new Map());
  return fields;
}

/** Disjunction of rules; later tests of a path replace earlier ones, and each `$or` forks what was read before it. */
function expand(pattern: object, prefix: string): NaiveRule[] {
  let rules: Map<string, readonly unknown[]>[] = [new Map()];
  const read = (object: object, before: string): void => {
    for (const [key, value] of Object.entries(object)) {
      if (key === "$or" && Array.isArray(value)) {
        const base = rules;
        rules = (value as object[]).flatMap((member) => {
          rules = base.map((rule) => new Map(rule));
          read(member, before);
          return rules;
        });
      } else if (Array.isArray(value)) {
        for (const rule of rules) rule.set(before + key, value);
      } else {
        read(value as object, `${before}${key}.`);
      }
    }
  };
  read(pattern, prefix);
  return rules;
}

function isOperator(test: unknown, operator: string): test is Record<string, unknown> {
  return typeof test === "object" && test !== null && Object.hasOwn(test, operator);
}

export function naiveValueMatches(test: unknown, value: unknown): boolean {
  if (typeof test !== "object" || test === null) return test === value;
  const [operator, operand] = Object.entries(test)[0] as [string, unknown];
  switch (operator) {
    case "exists":
      return operand === true;
    case "anything-but":
      return !naiveExcluded(operand, value);
    case "numeric":
      return typeof value === "number" && naiveNumeric(operand as unknown[], value);
    default:
      return typeof value === "string" && naiveText(operator, operand, value);
  }
}

function naiveExcluded(operand: unknown, value: unknown): boolean {
  if (Array.isArray(operand)) return operand.includes(value);
  if (typeof operand !== "object" || operand === null) return operand === value;
  const [operator, nested] = Object.entries(operand)[0] as [string, unknown];
  const texts = Array.isArray(nested) ? nested : [nested];
  return typeof value === "string" && texts.some((text) => naiveText(operator, text, value));
}

function naiveNumeric(terms: readonly unknown[], value: number): boolean {
  for (let i = 0; i < terms.length; i += 2) {
    const bound = terms[i + 1] as number;
    const holds = {
      "=": value === bound,
      "<": value < bound,
      "<=": value <= bound,
      ">": value > bound,
      ">=": value >= bound,
    }[terms[i] as string];
    if (holds !== true) return false;
  }
  return true;
}

function naiveText(operator: string, operand: unknown, value: string): boolean {
  if (typeof operand === "object" && operand !== null) {
    const text = String(Object.values(operand)[0]);
    return naiveText(operator, text.toLowerCase(), value.toLowerCase());
  }
  const text = String(operand);
  switch (operator) {
    case "prefix":
      return value.slice(0, text.length) === text;
    case "suffix":
      return text.length <= value.length && value.slice(value.length - text.length) === text;
    case "equals-ignore-case":
      return value.toLowerCase() === text.toLowerCase();
    case "wildcard":
      return naiveWildcard(text, value);
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}

export function naiveWildcard(pattern: string, value: string): boolean {
  if (pattern === "") return value === "";
  if (pattern[0] === "*") {
    return naiveWildcard(pattern.slice(1), value) || (value !== "" && naiveWildcard(pattern, value.slice(1)));
  }
  const size = pattern[0] === "\\" ? 2 : 1;
  return value[0] === pattern[size - 1] && naiveWildcard(pattern.slice(size), value.slice(1));
}
