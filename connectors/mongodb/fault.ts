import { AUTHENTICATION, AUTHORIZATION } from "../../src/brokers/broker-fault.ts";
import { describeError, type Fault, MillraceError } from "../../src/model/errors.ts";

/** What a failure means beyond that something failed. */
export type FaultReason =
  /** The server has given up the changes behind the place that was asked for. */
  | "historyLost"
  /** A change is larger than a document of the server may be: it cannot send it. */
  | "tooLarge"
  | "other";

interface FaultDetails {
  readonly cause?: unknown;
  readonly fault?: Fault | undefined;
  readonly reason?: FaultReason;
  readonly processingResult?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** What went wrong at a cluster, in the errors of the port. No message shows a secret or a document. */
export class ChangeStreamFault extends MillraceError {
  readonly reason: FaultReason;
  /** What AWS writes into `LastProcessingResult`. */
  readonly processingResult: string | undefined;
  /** That did not answer. */
  readonly endpoint: string | undefined;

  constructor(
    code:
      | "ERR_MILLRACE_SOURCE_NOT_FOUND"
      | "ERR_MILLRACE_SOURCE_UNAVAILABLE"
      | "ERR_MILLRACE_SOURCE_THROTTLED",
    message: string,
    details: FaultDetails = {},
  ) {
    super(code, message, { cause: details.cause, fault: details.fault });
    this.reason = details.reason ?? "other";
    this.processingResult = details.processingResult;
    this.endpoint = details.endpoint;
  }
}

export function isHistoryLost(error: unknown): error is ChangeStreamFault {
  return error instanceof ChangeStreamFault && error.reason === "historyLost";
}

export function isTooLarge(error: unknown): error is ChangeStreamFault {
  return error instanceof ChangeStreamFault && error.reason === "tooLarge";
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError();
}

export function abortedError(): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped a call to MongoDB.");
}

/** Where something was read, for messages. */
export interface ClusterPlace {
  /** `DATABASE.COLLECTION`, or the database alone. */
  readonly namespace: string;
  readonly endpoints: readonly string[];
}

/** Codes of errors, as MongoDB lists them; DocumentDB has the same. */
const UNAUTHORIZED = 13;
const AUTHENTICATION_FAILED = 18;
const NAMESPACE_NOT_FOUND = 26;
const TOO_LARGE = 10_334;
const INVALID_TOKEN = 260;
const NOT_REPLICATED = 40_573;
/**
 * CappedPositionLost, ChangeStreamFatalError (the token's change is not there any more), ChangeStreamHistoryLost, and
 * the same before MongoDB 4.4.
 */
const HISTORY_LOST = [136, 280, 286, 40_576, 40_585];
const RATE_LIMITED = [462, 16_500];
/** What is asked for is not known or not right: FailedToParse, TypeMismatch, CommandNotFound, InvalidOptions, … */
const REFUSED = [2, 9, 14, 59, 72, 73, 115, 303, 323, 40_324, 40_415];

/** A driver's error in the errors of the port. */
export function changeStreamFault(error: unknown, place: ClusterPlace): MillraceError {
  if (error instanceof MillraceError) return error;
  const fault = new FaultOfDriver(error, place);
  const code = codeOf(error);
  return code === undefined ? fault.ofConnection() : fault.ofServer(code);
}

class FaultOfDriver {
  readonly #error: unknown;
  readonly #namespace: string;
  readonly #servers: string;

  constructor(error: unknown, { namespace, endpoints }: ClusterPlace) {
    this.#error = error;
    this.#namespace = namespace;
    this.#servers = endpoints.join(", ");
  }

  /** The server answered with an error code. */
  ofServer(code: number): ChangeStreamFault {
    const place = `change stream of "${this.#namespace}" at ${this.#servers}`;
    const said = `${code} ${String(memberOf(this.#error, "codeName") ?? "without a name")}`;
    if (HISTORY_LOST.includes(code)) {
      return this.#unavailable(
        `The ${place} no longer has the changes behind the last one that was settled (${said}): they have left the ` +
          "server's log. Give historyLost: oldest or latest to go on without them, and let the server keep its log for " +
          "longer than the mapping may stand still.",
        { fault: "refused", reason: "historyLost" },
      );
    }
    switch (code) {
      case AUTHENTICATION_FAILED:
        return this.#unavailable(
          `The cluster at ${this.#servers} refused the login. Give a user and a password that it knows as BASIC_AUTH, ` +
            "and authSource=DATABASE in the endpoint where the user is not of admin.",
          { fault: "credentials", processingResult: AUTHENTICATION },
        );
      case UNAUTHORIZED:
        return this.#unavailable(
          `The user may not read the ${place}. Give it the actions changeStream and find there: the role read of the ` +
            "database has both.",
          { fault: "denied", processingResult: AUTHORIZATION },
        );
      case NAMESPACE_NOT_FOUND:
        return this.#notFound();
      case NOT_REPLICATED:
        return this.#unavailable(
          `The server at ${this.#servers} is no member of a replica set, and has no change streams. Start it with ` +
            "--replSet and initiate the set: one member is enough.",
          { fault: "refused" },
        );
      case TOO_LARGE:
        return this.#unavailable(`A change of the ${place} is larger than the server can send.`, {
          reason: "tooLarge",
        });
      case INVALID_TOKEN:
        return this.#unavailable(
          `The ${place} does not know the place where the mapping stopped (${said}): it is of another cluster or ` +
            "collection. Give the mapping a new uuid, or remove its progress from the store.",
          { fault: "refused" },
        );
      default:
        return this.#otherOfServer(code, place, said);
    }
  }

  #otherOfServer(code: number, place: string, said: string): ChangeStreamFault {
    const text = textOf(this.#error);
    if (RATE_LIMITED.includes(code)) {
      const message = `The ${place} asks for fewer calls (${said}).`;
      return new ChangeStreamFault("ERR_MILLRACE_SOURCE_THROTTLED", message, { cause: this.#error });
    }
    if (REFUSED.includes(code))
      return this.#unavailable(`The ${place} refused what was asked (${said}): ${text}`, {
        fault: "refused",
      });
    return this.#unavailable(`The ${place} cannot be read now (${said}): ${text}`);
  }

  notFound(): ChangeStreamFault {
    return this.#notFound();
  }

  #notFound(): ChangeStreamFault {
    const database = this.#namespace.split(".", 1)[0] ?? "";
    return new ChangeStreamFault(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `There is no database "${database}" at ${this.#servers}, or the user may not see it. Make a collection in it, or ` +
        "name another.",
      { cause: this.#error },
    );
  }

  /** No server answered. */
  ofConnection(): ChangeStreamFault {
    const causes = causesOf(this.#error);
    const texts = causes.map(textOf);
    if (causes.some((cause) => memberOf(cause, "name") === "MongoCompatibilityError")) {
      return this.#unavailable(
        `The cluster at ${this.#servers} is too old: MongoDB 4.4 or DocumentDB 5.0 is the oldest that is read.`,
        { fault: "refused" },
      );
    }
    const certificate = causes.map((cause) => memberOf(cause, "code")).find(isOfCertificate);
    if (certificate !== undefined) {
      return this.#unavailable(
        `The certificate of the cluster at ${this.#servers} is not trusted (${certificate}). Give the authority that ` +
          "signed it as SERVER_ROOT_CA_CERTIFICATE, and name the servers as it does.",
        { fault: "refused" },
      );
    }
    const isKnown = causes.some((cause) => /^Mongo(?:Network|ServerSelection|Pool)/.test(nameOf(cause)));
    const hint = isKnown ? ", or has no primary" : "";
    return this.#unavailable(
      `The cluster at ${this.#servers} cannot be reached${hint}: ${texts.at(-1)}. Look at the address, at tls, and at ` +
        "whether the set has elected a primary.",
      { endpoint: this.#servers },
    );
  }

  #unavailable(message: string, details: Omit<FaultDetails, "cause"> = {}): ChangeStreamFault {
    return new ChangeStreamFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", message, {
      cause: this.#error,
      ...details,
    });
  }
}

export function databaseIsMissing(place: ClusterPlace): ChangeStreamFault {
  return new FaultOfDriver(undefined, place).notFound();
}

const CAUSES_MAX = 8;

/** An error, what caused it, and what the driver knows of each server. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let each = error; each !== undefined && each !== null && causes.length < CAUSES_MAX; ) {
    causes.push(each);
    const servers = memberOf(memberOf(each, "reason"), "servers");
    const ofServer =
      servers instanceof Map ? [...servers.values()].map((server) => memberOf(server, "error")) : [];
    each = memberOf(each, "cause") ?? ofServer.find((known) => known !== null && known !== undefined);
  }
  return causes;
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;

function isOfCertificate(code: unknown): code is string {
  return typeof code === "string" && CERTIFICATE.test(code);
}

/** Answers of streams are read as they are stored: numbers are objects of the driver's. */
function codeOf(error: unknown): number | undefined {
  const code = memberOf(error, "code");
  const value = typeof code === "object" && code !== null ? Number(code) : code;
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

const TEXT_CHARS_MAX = 300;

function textOf(error: unknown): string {
  return describeError(error).slice(0, TEXT_CHARS_MAX);
}

function nameOf(error: unknown): string {
  return String(memberOf(error, "name") ?? "");
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
