import type { DestinationKind } from "../ports/destination-kind.ts";
import { parseAsyncDestination } from "./async-destination.ts";
import type { ManifestDocument } from "./manifest-document.ts";

/** Where a Function says that ends of its asynchronous events are told. */
export function checkAsyncDestinations(
  document: ManifestDocument,
  brought: readonly DestinationKind[] = [],
): void {
  const holders = [["spec"], ...namesIn(document, "aliases"), ...namesIn(document, "versions")];
  for (const holder of holders) {
    const config = [...holder, "eventInvokeConfig", "destinationConfig"];
    checkDestination(document, [...config, "onSuccess", "destination"], brought);
    checkDestination(document, [...config, "onFailure", "destination"], brought);
    checkDestination(document, [...holder, "deadLetterConfig", "targetArn"], brought);
  }
}

function namesIn(document: ManifestDocument, member: string): readonly (readonly string[])[] {
  const named = document.raw("spec", member);
  return typeof named === "object" && named !== null
    ? Object.keys(named).map((name) => ["spec", member, name])
    : [];
}

function checkDestination(
  document: ManifestDocument,
  path: readonly string[],
  brought: readonly DestinationKind[],
): void {
  const text = document.raw(...path);
  if (typeof text !== "string" || text === "") return;
  const read = parseAsyncDestination(text, document.folder, brought);
  if (read.kind === "fault") {
    document.report(path, read.message, read.remedy);
    return;
  }
  const last = path.at(-2);
  if (last === "onSuccess" && read.kind === "stored" && read.address.kind === "s3")
    document.report(
      path,
      "A bucket takes failures only",
      "Name it as onFailure, or another destination here",
    );
  if (last === "deadLetterConfig" && read.kind !== "stored")
    document.report(path, "A dead-letter target is no function, bus or URL", "Name it as onFailure");
  if (read.kind === "function" && read.name === document.name)
    document.report(path, "A function cannot be its own destination", "Name another");
}
