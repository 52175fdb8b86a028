import { statSync } from "node:fs";
import { resolve } from "node:path";
import { ENVIRONMENT_BYTES_MAX, RESERVED_VARIABLES } from "../model/reserved-variables.ts";
import { runtimeFamily } from "../model/runtime-name.ts";
import { FIELDS_OF_CODE } from "./function-schema.ts";
import type { ManifestDocument } from "./manifest-document.ts";

/** Rules of a function, or a version, that millrace starts as processes. */
export function checkCode(document: ManifestDocument, place: readonly string[]): void {
  const raw = (name: string) => document.raw(...place, name);
  if (raw("code") === undefined) {
    for (const field of FIELDS_OF_CODE) {
      if (raw(field) === undefined) continue;
      const remedy = "Add code: FOLDER, or write it below module";
      document.report(
        [...place, field],
        "This is of functions with code, and there is no code",
        remedy,
        "key",
      );
    }
    return;
  }
  checkRuntime(document, place);
  checkPlace(document, [...place, "code"]);
  const layers = raw("layers");
  if (Array.isArray(layers))
    for (const index of layers.keys()) checkPlace(document, [...place, "layers", index]);
  checkEnvironment(document, [...place, "environment"]);
}

function checkRuntime(document: ManifestDocument, place: readonly string[]): void {
  const raw = (name: string) => document.raw(...place, name);
  const runtime = raw("runtime");
  if (raw("command") !== undefined) return;
  if (runtime === undefined) {
    const remedy = "Give runtime, such as nodejs24.x, python3.13 or provided.al2023, or a command";
    document.report(place, "Nothing says what runs the code", remedy, "key");
    return;
  }
  if (typeof runtime !== "string") return;
  const family = runtimeFamily(runtime);
  if (family === undefined) {
    const remedy =
      "Give a command that starts the runtime's own client, or one of nodejs24.x, python3.13 and provided.al2023";
    document.report([...place, "runtime"], "Millrace has no client for this runtime", remedy);
  } else if (family !== "provided" && raw("handler") === undefined) {
    const remedy = `Give handler, for example ${family === "nodejs" ? "index.handler" : "app.handler"}`;
    document.report(place, `The runtime ${runtime} needs the name of a handler`, remedy, "key");
  }
}

function checkPlace(document: ManifestDocument, path: readonly PropertyKey[]): void {
  const value = document.raw(...path);
  const isText = typeof value === "string";
  const text = isText ? value : document.raw(...path, "path");
  if (typeof text !== "string" || text === "" || text.includes("\0")) return;
  const file = resolve(document.folder, text);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory() === true || (found?.isFile() === true && file.endsWith(".zip"))) return;
  const message =
    found === undefined ? `There is nothing at ${file}` : `${file} is neither a folder nor a zip`;
  const remedy = "Give the folder or zip of the code, relative to the folder of this manifest";
  document.report(isText ? path : [...path, "path"], message, remedy);
}

function checkEnvironment(document: ManifestDocument, path: readonly string[]): void {
  const variables = document.raw(...path);
  if (typeof variables !== "object" || variables === null) return;
  for (const name of Object.keys(variables)) {
    if (!RESERVED_VARIABLES.includes(name)) continue;
    document.report([...path, name], "This variable is set by millrace itself", "Remove it", "key");
  }
  const bytes = Object.entries(variables).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(value)),
    0,
  );
  if (bytes <= ENVIRONMENT_BYTES_MAX) return;
  const message = `The variables have ${bytes} bytes together, and ${ENVIRONMENT_BYTES_MAX} are the most`;
  document.report(path, message, "Keep what is long in a file of the code");
}
