import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MillraceError } from "../../model/errors.ts";
import { runtimeFamily } from "../../model/runtime-name.ts";

export interface RuntimeChoice {
  readonly functionName: string;
  readonly runtime: string | undefined;
  readonly command: readonly string[] | undefined;
  /** Named by its path. */
  readonly module?: { readonly path: string; readonly exportName: string } | undefined;
  readonly codeFolder: string;
  readonly layerFolders: readonly string[];
  readonly memoryMb: number;
}

/** In the build the client is JavaScript; `new URL` is not rewritten by the compiler as imports are. */
const NODE_CLIENT = new URL(
  import.meta.url.endsWith(".ts") ? "./node-client.ts" : "./node-client.js",
  import.meta.url,
);
const PYTHON_CLIENT = new URL("./python-client.py", import.meta.url);

/**
 * Program and arguments that speak the Runtime API.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when this machine has none
 */
export async function runtimeCommand(choice: RuntimeChoice): Promise<readonly string[]> {
  const { runtime, command, memoryMb, module } = choice;
  if (command !== undefined) return command;
  switch (runtime === undefined ? undefined : runtimeFamily(runtime)) {
    case "nodejs":
      return [
        ...[process.execPath, `--max-old-space-size=${memoryMb}`, fileURLToPath(NODE_CLIENT)],
        ...(module === undefined ? [] : [module.path, module.exportName]),
      ];
    case "python":
      return [await pythonOf(choice), fileURLToPath(PYTHON_CLIENT)];
    case "provided":
      return [bootstrapOf(choice)];
    case undefined: {
      const message = `function ${choice.functionName} has the runtime ${runtime}, for which millrace has no client. Give it a command that starts one.`;
      throw new MillraceError("ERR_MILLRACE_FUNCTION", message);
    }
  }
}

/** Lambda's order: code, then layers. Where there is none, the first place is named in the error of the start. */
function bootstrapOf({ codeFolder, layerFolders }: RuntimeChoice): string {
  const places = [codeFolder, ...layerFolders].map((folder) => join(folder, "bootstrap"));
  const found = places.find((place) => statSync(place, { throwIfNoEntry: false })?.isFile() === true);
  return found ?? join(codeFolder, "bootstrap");
}

const WHERE = "import sys; print(sys.executable)";
const LOOK_MS_MAX = 10_000;
const pythons = new Map<string, Promise<string | undefined>>();

/** The program itself, not a shim that looks for it at each start. */
async function pythonOf({ functionName, runtime = "" }: RuntimeChoice): Promise<string> {
  for (const name of [runtime.replace(/\D*/, "python"), "python3"]) {
    let looked = pythons.get(name);
    if (looked === undefined) {
      looked = lookFor(name);
      pythons.set(name, looked);
    }
    const found = await looked;
    if (found !== undefined) return found;
    // It may be installed later.
    pythons.delete(name);
  }
  const message = `function ${functionName} needs python3, which is not on the PATH of millrace. Install it, or give the function a command.`;
  throw new MillraceError("ERR_MILLRACE_FUNCTION", message);
}

async function lookFor(name: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(name, ["-c", WHERE], { timeout: LOOK_MS_MAX });
    const place = stdout.trim();
    return place === "" ? undefined : place;
  } catch {
    return undefined;
  }
}
