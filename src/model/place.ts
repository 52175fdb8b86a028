/**
 * Region and account that a process is given (`--region`, `--account`): those of its functions and mappings. A
 * function's ARN is one, whatever source a mapping reads and however a caller wrote the name.
 */
export interface Place {
  readonly region: string;
  readonly account: string;
}

/** What a process has that was given none. */
export const DEFAULT_PLACE: Place = { region: "us-east-1", account: "000000000000" };

/** `arn:aws:lambda:REGION:ACCOUNT:`, with the one of AWS's clouds that the region lies in. */
export function lambdaArnPrefix({ region, account }: Place): string {
  return `arn:${cloudOf(region)}:lambda:${region}:${account}:`;
}

export function cloudOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
