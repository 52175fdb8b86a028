export interface SourceArn {
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Behind the account: `stream/orders`. */
  readonly resource: string;
}

/** Region and account of what an ARN without them names, and of functions that a self-managed source invokes. */
export const NOWHERE = { region: "us-east-1", account: "000000000000" } as const;

/** The parts of an event source's ARN; `undefined` when the text is none (AWS's pattern, streams §1.3). */
export function parseSourceArn(arn: string): SourceArn | undefined {
  const match = /^arn:aws[a-zA-Z0-9-]*:([a-zA-Z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)$/.exec(arn);
  const service = match?.[1];
  if (service === undefined) return undefined;
  return {
    service,
    region: match?.[2] || NOWHERE.region,
    account: match?.[3] ?? NOWHERE.account,
    resource: match?.[4] ?? "",
  };
}
