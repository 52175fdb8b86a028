/** Something wrong in a manifest: where, what, and what to do about it. */
export interface ManifestProblem {
  /** As the person gave it, not made absolute. */
  readonly file: string;
  /** 1-based; `undefined` when the whole file is meant. */
  readonly place: Place | undefined;
  /** `spec.batchSize`, with the resource before it where one is known: `EventSourceMapping orders, spec.batchSize`. */
  readonly field: string | undefined;
  readonly message: string;
  readonly remedy: string;
  /** It stands for so many that are not shown. */
  readonly more?: number;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** `orders.yaml:12:14: EventSourceMapping orders, spec.batchSize: what is wrong. What to do.` */
export function formatProblem({ file, place, field, message, remedy }: ManifestProblem): string {
  const position = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  const subject = field === undefined ? "" : `${field}: `;
  return `${position}: ${subject}${endSentence(message)} ${endSentence(remedy)}`;
}

/** By file in the order of reading, then by line, so that a person can go through an editor from top to bottom. */
export function sortProblems(
  problems: readonly ManifestProblem[],
  files: readonly string[],
): readonly ManifestProblem[] {
  const order = new Map(files.map((file, index) => [file, index]));
  return problems.toSorted(
    (a, b) =>
      (order.get(a.file) ?? files.length) - (order.get(b.file) ?? files.length) ||
      (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
      (a.place?.column ?? 0) - (b.place?.column ?? 0),
  );
}

/** What one file tells at once: a person corrects these, and asks again. */
const PROBLEMS_MAX = 20;

/** The first problems of each file, and how many more there are. */
export function firstProblems(problems: readonly ManifestProblem[]): readonly ManifestProblem[] {
  return [...Map.groupBy(problems, ({ file }) => file)].flatMap(([file, all]) => {
    const more = all.length - PROBLEMS_MAX;
    if (more <= 0) return all;
    const message = `There ${more === 1 ? "is one more problem" : `are ${more} more problems`} in this file`;
    const rest = {
      file,
      place: undefined,
      field: undefined,
      message,
      remedy: "Correct those above first",
      more,
    };
    return [...all.slice(0, PROBLEMS_MAX), rest];
  });
}

export function problemCount(problems: readonly ManifestProblem[]): number {
  return problems.reduce((sum, { more = 1 }) => sum + more, 0);
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
