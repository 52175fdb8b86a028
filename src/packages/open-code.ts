import type { OpenPackage, PackageFolders, PackageSource } from "../ports/package-folders.ts";

/** A function's code and layers, as folders. */
export interface OpenCode {
  readonly code: string;
  /** In their order. */
  readonly layers: readonly string[];
  /** Nothing of it is run any more. */
  release(): void;
}

/** @throws MillraceError of the first that cannot be opened; what was is released. */
export async function openCode(
  folders: PackageFolders,
  { code, layers }: { readonly code: PackageSource; readonly layers: readonly PackageSource[] },
): Promise<OpenCode> {
  const opened: OpenPackage[] = [];
  const release = () => {
    for (const each of opened) each.release();
  };
  try {
    for (const source of [code, ...layers]) opened.push(await folders.open(source));
  } catch (error) {
    release();
    throw error;
  }
  const [first = "", ...rest] = opened.map(({ folder }) => folder);
  return { code: first, layers: rest, release };
}
