import type { SnsPlace } from "./adapters.ts";
import type { Flags } from "./command.ts";
import { usageError } from "./parse-flags.ts";

/** Messages that SNS pushes by HTTP. */
export const SNS_FLAGS = {
  sns: {
    value: "FUNCTION=ARN",
    isRepeatable: true,
    description:
      "Takes what SNS pushes by HTTP to /millrace/v1/sns/FUNCTION on the API's address, without credentials: what counts is its signature. " +
      "Only messages of the ARN, which may end in *, are taken, and their subscriptions confirmed. May be repeated. Default: none.",
  },
  "sns-host": {
    value: "HOST",
    isRepeatable: true,
    description:
      "Host, or HOST:PORT, that certificates and confirmations of --sns may come from besides SNS itself, by https: a sender of your own. May be repeated.",
  },
} as const;

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function readSns(flags: Flags): SnsPlace {
  const declared = (flags.get("sns") ?? []).map((text) => {
    const [, functionName = "", arn = ""] = DECLARED.exec(text) ?? [];
    if (functionName !== "") return { functionName, arn };
    const shown = JSON.stringify(text.slice(0, 200));
    throw usageError(`--sns is ${shown}. Give FUNCTION=arn:aws:sns:REGION:ACCOUNT:NAME.`);
  });
  const hosts = flags.get("sns-host") ?? [];
  const wrong = hosts.find((host) => !/^[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?(?::\d{1,5})?$/.test(host));
  if (wrong !== undefined)
    throw usageError(`--sns-host is ${JSON.stringify(wrong.slice(0, 200))}. Give a name in lower case.`);
  return { declared, hosts };
}

const DECLARED =
  /^([A-Za-z0-9_-]{1,64}(?::[$A-Za-z0-9_-]{1,128})?)=(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}\*?)$/;
