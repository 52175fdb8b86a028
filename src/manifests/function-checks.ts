import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseFunctionName } from "./function-name.ts";
import type { ManifestDocument } from "./manifest-document.ts";

/** Rules of a Function that its shape cannot say. They look at what is written, so that they speak beside shape errors. */
export function checkFunction(document: ManifestDocument): void {
  checkTarget(document);
  checkUrl(document, ["spec", "http", "url"], "http://127.0.0.1:9000/");
  checkUrl(document, ["spec", "lambda", "endpoint"], "http://127.0.0.1:8080");
  checkLambdaName(document);
  checkModulePath(document);
}

function checkTarget(document: ManifestDocument): void {
  const spec = document.raw("spec");
  if (typeof spec !== "object" || spec === null) return;
  const targets = ["http", "lambda", "module"].filter((target) => Object.hasOwn(spec, target));
  if (targets.length === 1) return;
  const message =
    targets.length === 0 ? "The function has no target" : "The function has more than one target";
  const remedy = "Give exactly one of http: { url }, lambda: { functionName } and module: { path }";
  document.report(["spec"], message, remedy, "key");
}

function checkLambdaName(document: ManifestDocument): void {
  const path = ["spec", "lambda", "functionName"];
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
  } else if (url.username !== "" || url.password !== "") {
    document.report(
      path,
      "The URL holds a user name or password, which would show up in logs",
      "Remove them",
    );
  }
}

function checkModulePath(document: ManifestDocument): void {
  const path = ["spec", "module", "path"];
  const text = document.raw(...path);
  if (typeof text !== "string" || text === "") return;
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
