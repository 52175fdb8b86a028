import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { ManifestDocument } from "./manifest-document.ts";

/** Rules of a Function that its shape cannot say. They look at what is written, so that they speak beside shape errors. */
export function checkFunction(document: ManifestDocument): void {
  checkTarget(document);
  checkUrl(document);
  checkModulePath(document);
}

function checkTarget(document: ManifestDocument): void {
  const spec = document.raw("spec");
  if (typeof spec !== "object" || spec === null) return;
  const targets = ["http", "module"].filter((target) => Object.hasOwn(spec, target));
  if (targets.length === 1) return;
  const message = targets.length === 0 ? "The function has no target" : "The function has two targets";
  document.report(["spec"], message, "Give exactly one of http: { url } and module: { path }", "key");
}

function checkUrl(document: ManifestDocument): void {
  const path = ["spec", "http", "url"];
  const text = document.raw(...path);
  if (typeof text !== "string") return;
  const url = URL.parse(text);
  const remedy = "Give an http or https URL, for example http://127.0.0.1:9000/";
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
