import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
  readonly tag: string;
}

const FOLDER = new URL("../../page/", import.meta.url);
const TYPES = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" } as const;

/** All that the page is made of: nothing else of the disk is served. */
const OWN = [
  "page.css",
  "icon.svg",
  "main.js",
  "live.js",
  "api.js",
  "words.js",
  "dialog.js",
  "plot.js",
  "rows.js",
  "overview.js",
  "mapping.js",
  "failures.js",
  "functions.js",
  "rollouts.js",
  "events.js",
  "sources.js",
  "try.js",
] as const;
const VENDOR = {
  "vendor/lit-html.js": ["lit-html", "lit-html.js"],
  "vendor/uplot.js": ["uplot", "dist/uPlot.esm.js"],
  "vendor/uplot.css": ["uplot", "dist/uPlot.min.css"],
} as const;

/** Read once, at the start. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const own = OWN.map((name) => [name, pageFile(name, new URL(name, FOLDER))] as const);
  const vendor = Object.entries(VENDOR).map(([name, [module, path]]) => {
    return [name, pageFile(name, inPackage(module, path))] as const;
  });
  return new Map([...own, ...vendor]);
}

/** With the token that shows that a change comes from it. */
export function indexHtml(token: string | undefined): string {
  const html = readFileSync(fileURLToPath(new URL("index.html", FOLDER)), "utf8");
  return html.replace("{{token}}", token ?? "");
}

/** The file for browsers: what Node resolves may be another one of the package. */
function inPackage(module: string, path: string): URL {
  const entry = import.meta.resolve(module);
  const folder = `/node_modules/${module}/`;
  return new URL(path, entry.slice(0, entry.lastIndexOf(folder) + folder.length));
}

function pageFile(name: string, url: URL): PageFile {
  const content = readFileSync(url);
  const extension = name.slice(name.lastIndexOf(".") + 1);
  const type =
    extension === "js" || extension === "css" || extension === "svg" ? TYPES[extension] : undefined;
  const tag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  return { type: `${type ?? "application/octet-stream"}; charset=utf-8`, content, tag };
}
