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

export const STORE_FLAGS = {
  store: {
    value: "URL",
    description:
      "Where leases and checkpoints are kept: sqlite:PATH for processes of one host, " +
      "postgres://USER@HOST:PORT/DATABASE or dynamodb:TABLE for processes of several, or memory: to forget them. " +
      `Default ${DEFAULT_STORE}.`,
  },
  "async-queue": {
    value: "ARN",
    description:
      "Standard queue of SQS, of its own, that keeps asynchronous events in the store's place: arn:aws:sqs:REGION:ACCOUNT:NAME. " +
      "With --store dynamodb: nothing else keeps them.",
  },
} as const;

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

/** A queue of AWS's beside the store, which keeps asynchronous events in the store's place. */
export interface EventQueueUrl {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function parseEventQueue(arn: string): EventQueueUrl {
  const [, region, account, name] = QUEUE_ARN.exec(arn) ?? [];
  if (region !== undefined && account !== undefined && name !== undefined)
    return { arn, region, account, name };
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `--async-queue is ${JSON.stringify(arn.slice(0, 200))}. Give the ARN of a standard queue: ` +
      "arn:aws:sqs:REGION:ACCOUNT:NAME.",
  );
}

const QUEUE_ARN = /^arn:aws[a-zA-Z0-9-]*:sqs:([a-z0-9-]+):(\d{12}):([a-zA-Z0-9_-]{1,80})$/;

/** AWS's rule for names of tables. */
function checkedTable(table: string): string {
  if (/^[\w.-]{3,255}$/.test(table)) return table;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The table ${JSON.stringify(table.slice(0, SHOWN_CHARS_MAX))} of --store dynamodb:TABLE is not a table's name. ` +
      "Give 3 to 255 letters, digits and _ . - without region or account, which come from the AWS settings.",
  );
}
