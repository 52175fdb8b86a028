import type { CodePlace } from "../../model/code-place.ts";
import { MillraceError } from "../../model/errors.ts";
import type { FunctionTarget } from "../../ports/function-target.ts";
import { createRuntimeFunction, type RuntimeFunctionOptions } from "./runtime-function.ts";

/** A function whose code has a place, and no folder yet. */
export interface PlacedFunction
  extends Omit<RuntimeFunctionOptions, "codeFolder" | "layerFolders" | "onClosed"> {
  readonly code: CodePlace;
  readonly layers: readonly CodePlace[];
}

/** Makes folders of places, and keeps them until they are released. */
export type OpenPlaces = (places: Pick<PlacedFunction, "code" | "layers">) => Promise<{
  readonly code: string;
  readonly layers: readonly string[];
  release(): void;
}>;

/**
 * @throws MillraceError of what makes folders, and `ERR_MILLRACE_FUNCTION`. Without `openPlaces` only folders can be
 * run.
 */
export async function openRuntimeFunction(
  { code, layers, ...options }: PlacedFunction,
  openPlaces: OpenPlaces = foldersOf,
): Promise<FunctionTarget> {
  const opened = await openPlaces({ code, layers });
  const folders = { codeFolder: opened.code, layerFolders: opened.layers };
  try {
    return await createRuntimeFunction({ ...options, ...folders, onClosed: () => opened.release() });
  } catch (error) {
    opened.release();
    throw error;
  }
}

const foldersOf: OpenPlaces = async ({ code, layers }) => ({
  code: folderOf(code),
  layers: layers.map((layer) => folderOf(layer)),
  release: () => {},
});

function folderOf(place: CodePlace): string {
  if ("path" in place && !place.path.endsWith(".zip")) return place.path;
  const message = "The function's code is a package, and this process has no place for packages.";
  throw new MillraceError("ERR_MILLRACE_FUNCTION", message);
}
