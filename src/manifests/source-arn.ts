import { DEFAULT_PLACE } from "../model/place.ts";

export interface SourceArn {
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Behind the account: `stream/orders`. */
  readonly resource: string;
}

/** The parts of an event source's ARN; `undefined` when the text is none (AWS's pattern, streams §1.3). */
export function parseSourceArn(arn: string): SourceArn | undefined {
  const match = /^arn:aws[a-zA-Z0-9-]*:([a-zA-Z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)$/.exec(arn);
  const service = match?.[1];
  if (service === undefined) return undefined;
  return {
    service,
    region: match?.[2] || DEFAULT_PLACE.region,
    account: match?.[3] ?? DEFAULT_PLACE.account,
    resource: match?.[4] ?? "",
  };
}
