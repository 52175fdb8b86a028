/** A `functionName` in any of AWS's forms (streams §1.3), taken apart. */
export interface FunctionReference {
  readonly name: string;
  /** Version or alias. */
  readonly qualifier: string | undefined;
  /** Region and account, when the name is an ARN. */
  readonly arnPrefix: string | undefined;
}

/** name, name:qualifier, 123456789012:function:name[:qualifier], or the whole ARN. `undefined`: none of these. */
export function parseFunctionName(text: string): FunctionReference | undefined {
  const match = FUNCTION_NAME.exec(text);
  const name = match?.groups?.["name"];
  if (name === undefined) return undefined;
  return { name, qualifier: match?.groups?.["qualifier"], arnPrefix: match?.groups?.["prefix"] };
}

const FUNCTION_NAME =
  /^(?:(?<prefix>arn:aws[a-zA-Z0-9-]*:lambda:[a-z0-9-]+:\d{12}):function:|\d{12}:function:)?(?<name>[A-Za-z0-9_-]{1,64})(?::(?<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?$/;

/**
 * The ARN that events' context and failure records show. AWS answers a plain name with the ARN in the caller's region
 * and account; here that of the source stands for it. The qualifier is kept as given.
 */
export function functionArn(
  reference: FunctionReference,
  source: { region: string; account: string },
): string {
  const prefix = reference.arnPrefix ?? `arn:aws:lambda:${source.region}:${source.account}`;
  const qualifier = reference.qualifier === undefined ? "" : `:${reference.qualifier}`;
  return `${prefix}:function:${reference.name}${qualifier}`;
}
