import { type ContractBug, contractBug } from "../contract-bug.ts";

const BOOK = "test/unit/invocation/error-book.test.ts";

/** How failures of functions are kept and shown (I43). */
export const ERROR_BUGS: readonly ContractBug[] = [
  contractBug(
    "texts of functions are kept before they are redacted",
    { file: BOOK, test: "gives nothing out of the door that was not redacted" },
    {
      at: "texts-of-functions-are-kept-before-they-are-redacted",
      instead: "const said = textsOf(call, outcome);",
    },
  ),
  contractBug(
    "a function that tells types alone is told with its texts",
    { file: BOOK, test: "keeps and hands on the type alone where the function says so" },
    {
      at: "a-function-that-tells-types-alone-is-told-with-its-texts",
      instead: 'const isFull = this.#options.details === "full";',
    },
  ),
  contractBug(
    "the error book grows with each error",
    { file: BOOK, test: "keeps as much of a hundred thousand different errors as of twenty" },
    {
      at: "the-error-book-grows-with-each-error",
      instead: "if (page.kept.size > 1e6) this.#dropFirst(page);",
    },
  ),
  contractBug(
    "a secret that a text was cut through is shown",
    {
      file: "test/unit/secrets/redactor.test.ts",
      test: "takes out a part of a secret at the edge of a text that was cut through it",
    },
    {
      at: "a-secret-that-a-text-was-cut-through-is-shown",
      instead:
        "for (const secret of this.#texts) if (secret.length > 1e6) clean = withoutEdges(clean, secret);",
    },
  ),
  contractBug(
    "who may change may do all",
    {
      file: "test/unit/api/access.test.ts",
      test: "a list of roles gives exactly those, and a single one what it always gave",
    },
    {
      at: "who-may-change-may-do-all",
      instead: 'if ([role, orRole, "write" as const].some((each) => caller.roles.has(each))) return;',
    },
  ),
];
