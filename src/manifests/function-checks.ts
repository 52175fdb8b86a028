import { statSync } from "node:fs";
import { resolve } from "node:path";
import { planOf } from "../model/rollout.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { FunctionTargetKind } from "../ports/function-target-kind.ts";
import { hasCredentials } from "../secrets/url-secrets.ts";
import { checkAsyncDestinations } from "./async-checks.ts";
import { checkCode } from "./code-checks.ts";
import { parseFunctionName } from "./function-name.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { checkProcessTexts } from "./process-texts.ts";

/**
 * Rules of a Function that its shape cannot say. They look at what is written, so that they speak beside shape errors.
 */
export function checkFunction(
  document: ManifestDocument,
  kinds: readonly FunctionTargetKind[] = [],
  destinations: readonly DestinationKind[] = [],
): void {
  checkProcessTexts(document);
  checkAsyncDestinations(document, destinations);
  checkTarget(document, ["spec"], "function");
  checkCustom(document, ["spec", "custom"], kinds);
  const versions = document.raw("spec", "versions");
  if (typeof versions === "object" && versions !== null) {
    for (const number of Object.keys(versions)) {
      checkTarget(document, ["spec", "versions", number], "version");
      checkCustom(document, ["spec", "versions", number, "custom"], kinds);
    }
  }
  checkAliases(document);
}

/** Checks the target of the function itself, or of one of its versions. */
function checkTarget(document: ManifestDocument, place: readonly string[], noun: string): void {
  const holder = document.raw(...place);
  if (typeof holder !== "object" || holder === null) return;
  checkUrl(document, [...place, "http", "url"], "http://127.0.0.1:9000/");
  checkEndpoints(document, [...place, "http"]);
  checkUrl(document, [...place, "lambda", "endpoint"], "http://127.0.0.1:8080");
  checkLambdaName(document, [...place, "lambda", "functionName"]);
  checkModulePath(document, [...place, "module", "path"]);
  checkCode(document, place);
  const targets = ["http", "lambda", "module", "custom", "code"].filter((target) =>
    Object.hasOwn(holder, target),
  );
  if (targets.length === 1) return;
  const message = targets.length === 0 ? `The ${noun} has no target` : `The ${noun} has more than one target`;
  const remedy =
    "Give exactly one of http: { url }, lambda: { functionName }, module: { path } and code: FOLDER with its runtime";
  document.report(place, message, remedy, "key");
}

/** A certificate has the name, and each address is called by itself. */
function checkEndpoints(document: ManifestDocument, place: readonly string[]): void {
  const url = document.raw(...place, "url");
  if (document.raw(...place, "endpoints") === undefined || typeof url !== "string") return;
  if (!URL.canParse(url) || new URL(url).protocol === "http:") return;
  const message = "endpoints are called by their addresses, which a certificate does not name";
  document.report([...place, "endpoints"], message, "Give a url with http, or leave endpoints out", "key");
}

/** A target of the operator's own: its module is there, and finds nothing wrong. */
function checkCustom(
  document: ManifestDocument,
  place: readonly string[],
  kinds: readonly FunctionTargetKind[],
): void {
  const [kind, settings = {}] = [document.raw(...place, "kind"), document.raw(...place, "settings")];
  if (typeof kind !== "string" || typeof settings !== "object" || settings === null) return;
  const by = kinds.find((each) => each.kind === kind);
  if (by === undefined) {
    const known = kinds.map((each) => each.kind).join(", ") || "none";
    const remedy = `Name its module in MILLRACE_CONNECTORS; kinds here are: ${known}`;
    document.report([...place, "kind"], "No module brings function targets of this kind", remedy);
    return;
  }
  for (const { path, message, remedy } of by.check({ ...settings }))
    document.report([...place, "settings", ...path], message, remedy);
}

function checkAliases(document: ManifestDocument): void {
  const aliases = document.raw("spec", "aliases");
  if (typeof aliases !== "object" || aliases === null) return;
  const known = ["$LATEST", ...Object.keys(document.raw("spec", "versions") ?? {})];
  const remedy = `Give one of ${known.join(", ")}, or add it to versions`;
  for (const alias of Object.keys(aliases)) {
    const path = ["spec", "aliases", alias];
    const version = document.raw(...path, "version");
    if (version !== undefined && !known.includes(String(version))) {
      document.report(
        [...path, "version"],
        `The function has no version ${String(version).slice(0, 80)}`,
        remedy,
      );
    }
    checkPublished(document, path);
    checkRollout(document, path);
    const weights = document.raw(...path, "weights");
    if (typeof weights !== "object" || weights === null) continue;
    for (const other of Object.keys(weights)) {
      if (known.includes(other)) continue;
      document.report(
        [...path, "weights", other],
        `The function has no version ${other.slice(0, 80)}`,
        remedy,
        "key",
      );
    }
    const sum = Object.values(weights).reduce((total: number, weight) => total + Number(weight), 0);
    // Ten weights of 0.1 make a little more than 1.
    if (sum > 1 + 1e-9)
      document.report([...path, "weights"], "The weights add up to more than 1", "Lower them");
  }
}

/** An alias names a version, or stands for what is published. */
function checkPublished(document: ManifestDocument, path: readonly string[]): void {
  const isPublished = document.raw(...path, "publish") === true;
  const hasVersion = document.raw(...path, "version") !== undefined;
  if (!isPublished && !hasVersion) {
    const remedy = "Give version, a number or $LATEST, or publish: true";
    document.report(path, "The alias stands for no version", remedy, "key");
  }
  if (!isPublished) return;
  const remedy = "Leave one of them out: what is published gets its number by itself";
  if (hasVersion)
    document.report([...path, "version"], "An alias that is published names no version", remedy, "key");
  if (document.raw(...path, "weights") !== undefined)
    document.report([...path, "weights"], "An alias that is published has no weights", remedy, "key");
  if (document.raw("spec", "versions") !== undefined)
    document.report(["spec", "versions"], "A function that is published declares no versions", remedy, "key");
}

function checkRollout(document: ManifestDocument, path: readonly string[]): void {
  if (document.raw(...path, "rollout") === undefined) return;
  const type = document.raw(...path, "rollout", "type");
  if (typeof type === "string" && planOf(type) === undefined) {
    const remedy =
      "Give AllAtOnce, Canary10Percent5Minutes, Linear10PercentEvery1Minute or { kind, percent, minutes }";
    document.report([...path, "rollout", "type"], `There is no rollout ${type.slice(0, 80)}`, remedy);
  }
  if (document.raw(...path, "weights") !== undefined) {
    const remedy = "Leave one of them out";
    document.report([...path, "weights"], "An alias that is brought in by a rollout has no weights", remedy);
  }
  if (String(document.raw(...path, "version")) === "$LATEST") {
    const remedy = "Name a version by its number";
    document.report([...path, "version"], "A rollout cannot bring $LATEST in", remedy);
  }
}

function checkLambdaName(document: ManifestDocument, path: readonly string[]): void {
  const text = document.raw(...path);
  if (typeof text !== "string" || text === "" || parseFunctionName(text) !== undefined) return;
  const remedy =
    "Give name, name:qualifier, or arn:aws:lambda:REGION:ACCOUNT:function:name with an optional qualifier";
  document.report(path, "The text is not the name or ARN of a Lambda function", remedy);
}

function checkUrl(document: ManifestDocument, path: readonly string[], example: string): void {
  const text = document.raw(...path);
  if (typeof text !== "string") return;
  const url = URL.parse(text);
  const remedy = `Give an http or https URL, for example ${example}`;
  if (url === null) {
    document.report(path, "The text is not a URL", remedy);
  } else if (url.protocol !== "http:" && url.protocol !== "https:") {
    document.report(path, `Functions are not called over ${url.protocol.slice(0, -1)}`, remedy);
  } else if (hasCredentials(url)) {
    document.report(
      path,
      "The URL holds a user name or password, which would show up in logs",
      "Remove them",
    );
  }
}

function checkModulePath(document: ManifestDocument, path: readonly string[]): void {
  const text = document.raw(...path);
  if (typeof text !== "string" || text === "" || text.includes("\0")) return;
  const file = resolve(document.folder, text);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() === true) return;
  const message = found === undefined ? `There is no file ${file}` : `${file} is not a file`;
  document.report(
    path,
    message,
    "Give the path of the module's file, relative to the folder of this manifest",
  );
}
