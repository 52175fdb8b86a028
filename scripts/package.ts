/**
 * `npm run package [FOLDER]`: builds the program and packs what is published, `millrace-VERSION.tgz`, into the folder,
 * by default this one. Install scripts are off here (.npmrc), and with them `prepack`: a plain `npm pack` would pack a
 * package without its program, so it ends with the name of this command instead. What is packed is published as it is:
 * `npm publish millrace-VERSION.tgz --provenance`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FILES = ["dist", "docs/schema", "README.md", "CHANGELOG.md", "LICENSE"];
/** Members of package.json that are of a checkout alone. */
const CHECKOUT_MEMBERS = ["private", "workspaces", "scripts", "devDependencies"];

const folder = resolve(process.argv[2] ?? ".");
run(process.execPath, [join(ROOT, "scripts/build.ts")], ROOT);
const staged = mkdtempSync(join(tmpdir(), "millrace-package-"));
try {
  const file = join(folder, pack(staged));
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(staged, { recursive: true, force: true });
}

/** Returns the name of the packed file, once all that it must hold is found in it. */
function pack(from: string): string {
  for (const path of FILES) cpSync(join(ROOT, path), join(from, path), { recursive: true });
  const manifest = Object.entries(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  const published = Object.fromEntries(manifest.filter(([member]) => !CHECKOUT_MEMBERS.includes(member)));
  writeFileSync(join(from, "package.json"), `${JSON.stringify(published, undefined, 2)}\n`);
  const args = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder];
  const [packed] = JSON.parse(run("npm", args, from));
  const paths: readonly string[] = packed.files.map(({ path }: { readonly path: string }) => path);
  const faults = [
    ...programFiles()
      .filter((path) => !paths.includes(path))
      .map((path) => `${path} is not in it`),
    ...paths.filter((path) => extname(path) === ".map").map((path) => `${path} is in it`),
  ];
  if (faults.length === 0) return packed.filename;
  rmSync(join(folder, packed.filename), { force: true });
  fail(`The package is refused: ${faults.slice(0, 10).join(", ")}.`);
}

/** What each source file becomes in the package, and what is published beside it. */
function programFiles(): readonly string[] {
  const sources = ["src", "connectors"].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".d.ts"))
      .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length)),
  );
  const built = sources.map((path) => join("dist", path.replace(/\.ts$/, ".js")).replaceAll("\\", "/"));
  const schemas = readdirSync(join(ROOT, "docs/schema")).map((name) => `docs/schema/${name}`);
  return [...built, ...schemas, "README.md", "CHANGELOG.md", "LICENSE", "package.json"];
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) fail(`${command} ${args.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
