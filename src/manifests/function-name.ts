import { lambdaArnPrefix, type Place } from "../model/place.ts";

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
 * The one ARN of a function, which answers, events' context and failure records show: a process has one function of a
 * name, so that region and account of a name in the form of an ARN tell nothing apart. The qualifier is kept as given.
 */
export function functionArn({ name, qualifier }: Omit<FunctionReference, "arnPrefix">, place: Place): string {
  return `${lambdaArnPrefix(place)}function:${name}${qualifier === undefined ? "" : `:${qualifier}`}`;
}
