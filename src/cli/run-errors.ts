import { ErrorBook } from "../invocation/error-book.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import { addCredentialVariables, KNOWN_SECRETS } from "../secrets/known-secrets.ts";
import { Redactor } from "../secrets/redactor.ts";
import type { RunTelemetry } from "./adapters.ts";
import type { CliHost } from "./command.ts";
import { ErrorTeller, type ErrorTellerOptions } from "./error-teller.ts";
import type { RunOptions } from "./run-options.ts";

export interface RunErrors {
  readonly book: ErrorBook;
  /** As it is opened: this process may tell less of its failures than its declaration allows. */
  opened(resource: FunctionResource): FunctionResource;
  stop(): void;
}

/** How a run keeps and tells failures of functions: redacted, and where its flags say. */
export function openRunErrors(
  { errorDetails, logsErrorText }: Pick<RunOptions, "errorDetails" | "logsErrorText">,
  lines: ErrorTellerOptions["lines"],
  telemetry: Pick<RunTelemetry, "log">,
  { adapters: { clock }, environment }: CliHost,
): RunErrors {
  addCredentialVariables(KNOWN_SECRETS, environment);
  const book = new ErrorBook({ clock, redact: new Redactor().redact, details: errorDetails });
  const teller = new ErrorTeller({ lines, clock, logText: logsErrorText ? telemetry.log : undefined });
  book.listen((noted) => teller.noted(noted));
  return {
    book,
    opened: (resource) => openedAs(resource, errorDetails),
    stop: () => teller.stop(),
  };
}

function openedAs(resource: FunctionResource, errorDetails: ErrorDetails): FunctionResource {
  for (const target of [resource.target, ...resource.versions.values()])
    if (target.kind === "module" || target.kind === "runtime")
      addCredentialVariables(KNOWN_SECRETS, target.environment);
  return errorDetails === "full" ? resource : { ...resource, errorDetails };
}
