import type { SignedPush } from "../../api/pushed/signed-push.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SnsPushOptions } from "./sns-push.ts";

/** What flags say of it. */
interface WantedPush {
  readonly declared: readonly { readonly functionName: string; readonly arn: string }[];
  readonly hosts: readonly string[];
}

/** Loaded only where something of SNS is taken; `undefined`: nothing is. */
export async function createSnsPush(
  { declared = [], hosts = [] }: Partial<WantedPush> = {},
  log: SnsPushOptions["log"],
  { clock }: { readonly clock: Pick<Clock, "now" | "monotonic"> },
): Promise<SignedPush | undefined> {
  if (declared.length === 0) return undefined;
  const [{ checkedGet }, { SnsPush }] = await Promise.all([
    import("./checked-get.ts"),
    import("./sns-push.ts"),
  ]);
  const topics = declared.map(({ functionName, arn }) => ({ functionName, topicArn: arn }));
  return new SnsPush({ declared: topics, listed: hosts, get: checkedGet, clock, log });
}
