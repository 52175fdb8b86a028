/** How long calls of a function may take, by what its name means. */
export interface CallTimeouts {
  /** That of `$LATEST`, and of versions that have none of their own. */
  readonly timeoutMs: number;
  /** By version: what it was published with. */
  readonly versionTimeoutsMs?: ReadonlyMap<string, number>;
}

interface NamedTimeouts extends CallTimeouts {
  readonly aliases?: ReadonlyMap<
    string,
    { readonly version: string; readonly weights: ReadonlyMap<string, number> }
  >;
}

export function timeoutMsOf({ timeoutMs, versionTimeoutsMs }: CallTimeouts, version: string): number {
  // plant: a-version-has-the-time-out-of-latest
  return versionTimeoutsMs?.get(version) ?? timeoutMs;
}

/** The longest of all versions that a call under this qualifier may go to. */
export function longestTimeoutMs(fn: NamedTimeouts, qualifier: string | undefined): number {
  const alias = qualifier === undefined ? undefined : fn.aliases?.get(qualifier);
  if (alias === undefined) return timeoutMsOf(fn, qualifier ?? "$LATEST");
  // plant: an-alias-has-the-time-out-of-its-main-version
  const versions = [alias.version, ...alias.weights.keys()];
  return Math.max(...versions.map((version) => timeoutMsOf(fn, version)));
}

/** The longest of all versions. */
export function longestTimeoutOfAllMs({ timeoutMs, versionTimeoutsMs }: CallTimeouts): number {
  return Math.max(timeoutMs, ...(versionTimeoutsMs?.values() ?? []));
}

/** The eighth part of `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`. */
export function qualifierIn(functionArn: string): string | undefined {
  return functionArn.split(":")[7];
}
