/** `npm run build`: makes `dist/`, what the published package holds, and checks that its `millrace` runs. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const BIN = "dist/src/bin.js";
const SHEBANG = "#!/usr/bin/env node\n";

rmSync(join(ROOT, "dist"), { recursive: true, force: true });
runNode([typescriptCompiler(), "-p", "tsconfig.build.json"]);
copyOthers();
checkBin();
process.stdout.write(`${BIN} is built and runs.\n`);

/** The compiler's package exports no path to its command. */
function typescriptCompiler(): string {
  const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
  return join(manifest, "..", "bin", "tsc");
}

/** What is no TypeScript is served or read as it is. */
function copyOthers(): void {
  for (const top of ["src", "connectors"]) {
    const filter = (path: string) => statSync(path).isDirectory() || !path.endsWith(".ts");
    cpSync(join(ROOT, top), join(ROOT, "dist", top), { recursive: true, filter });
  }
}

function checkBin(): void {
  const file = join(ROOT, BIN);
  if (!readFileSync(file, "utf8").startsWith(SHEBANG)) fail(`${BIN} does not begin with ${SHEBANG.trim()}`);
  chmodSync(file, 0o755);
  const help = runNode([BIN, "--help"]);
  if (!help.includes("Usage: millrace COMMAND")) fail(`${BIN} --help printed something else:\n${help}`);
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const shown = runNode([BIN, "version"]).trim();
  if (shown !== version) fail(`${BIN} says it is version ${shown}; package.json says ${version}`);
}

function runNode(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status !== 0) fail(`node ${args.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function fail(message: string): never {
  process.stderr.write(`The build failed. ${message}\n`);
  process.exit(1);
}
