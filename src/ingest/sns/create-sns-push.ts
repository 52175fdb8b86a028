import type { SignedPush } from "../../api/pushed/signed-push.ts";
import type { Clock } from "../../ports/clock.ts";
import { checkedGet } from "./checked-get.ts";
import { SnsPush, type SnsPushOptions } from "./sns-push.ts";

/** What flags say of it. */
interface WantedPush {
  readonly declared: readonly { readonly functionName: string; readonly arn: string }[];
  readonly hosts: readonly string[];
}

/** `undefined`: nothing of SNS is taken. */
export function createSnsPush(
  { declared = [], hosts = [] }: Partial<WantedPush> = {},
  log: SnsPushOptions["log"],
  { clock }: { readonly clock: Pick<Clock, "now" | "monotonic"> },
): SignedPush | undefined {
  if (declared.length === 0) return undefined;
  const topics = declared.map(({ functionName, arn }) => ({ functionName, topicArn: arn }));
  return new SnsPush({ declared: topics, listed: hosts, get: checkedGet, clock, log });
}
