import { MillraceError } from "../model/errors.ts";
import { shownUrl } from "../secrets/url-secrets.ts";

export type StoreUrl =
  | { readonly kind: "sqlite"; readonly path: string }
  /** Holds the password, when the URL does: never to be shown. */
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "dynamodb"; readonly table: string }
  | { readonly kind: "memory" };

export const DEFAULT_STORE = "sqlite:.millrace/progress.db";
const FORMS = "Give --store sqlite:PATH, postgres://USER@HOST/DATABASE, dynamodb:TABLE or memory:.";
const SHOWN_CHARS_MAX = 40;

/**
 * Where leases and checkpoints are kept. Paths are relative to the working directory. The members of a postgres URL are
 * checked when the store is opened.
 * @throws MillraceError ERR_MILLRACE_CONFIG, which shows no more of the URL than may be shown of one with a password.
 */
export function parseStoreUrl(url: string): StoreUrl {
  if (url === "memory:") return { kind: "memory" };
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(url)?.[1];
  if (path !== undefined) return { kind: "sqlite", path };
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: "postgres", url };
  const table = /^dynamodb:(.*)$/.exec(url)?.[1];
  if (table !== undefined) return { kind: "dynamodb", table: checkedTable(table) };
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `There is no store of the form ${JSON.stringify(shownUrl(url, SHOWN_CHARS_MAX))}. ${FORMS}`,
  );
}

/** AWS's rule for names of tables. */
function checkedTable(table: string): string {
  if (/^[\w.-]{3,255}$/.test(table)) return table;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The table ${JSON.stringify(table.slice(0, SHOWN_CHARS_MAX))} of --store dynamodb:TABLE is not a table's name. ` +
      "Give 3 to 255 letters, digits and _ . - without region or account, which come from the AWS settings.",
  );
}
