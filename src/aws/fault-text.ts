import type { AwsFault } from "./fault.ts";

/** What was called, for texts. */
export interface AwsAction {
  /** The IAM action: `kinesis:GetRecords` */
  readonly action: string;
  /** What the action is to be allowed on, an ARN mostly. */
  readonly resource: string;
  /** The SDK's own name of an endpoint for this service: `AWS_ENDPOINT_URL_KINESIS` */
  readonly endpointVariable: string;
  /** Beside what is always said of a denial. */
  readonly allowHint?: string;
}

const NOBODY_THERE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const NO_CREDENTIALS: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError"]);

/** No server of the service was reached at all. */
export function isNobodyThere({ code }: AwsFault): boolean {
  return NOBODY_THERE.has(code);
}

/** What to do, in whole sentences. */
export function remedyOf(fault: AwsFault, called: AwsAction): string {
  const clock = fault.behindMs === undefined ? "" : `${clockText(fault.behindMs)} `;
  switch (fault.fault) {
    case "clock":
      return `${clock || "The time of this host's clock was refused. "}Set the clock of this host by NTP.`;
    case "throttled":
      return "It goes on by itself; if it lasts, look for others that call the same, and at the account's quotas.";
    case "credentialsExpired":
      return (
        `${clock}The credentials of this process have expired. They are read anew before each try: renew them where ` +
        "they come from."
      );
    case "credentials":
      return clock + credentialsText(fault.code);
    case "denied":
      return deniedText(fault.code, called);
    case "notFound":
      return `Look at name, account and region, and at ${endpointSettings(called)} if they are set.`;
    case "refused":
      return `If ${endpointSettings(called)} are set, look at what answers there; else look the error up in the service's reference.`;
    case "defect":
      return "This is a defect in millrace: please report it.";
    case "passing":
      return isNobodyThere(fault)
        ? `Nothing answers at the endpoint: look at the network, and at ${endpointSettings(called)} if they are set.`
        : "It is tried again; if this goes on, look the error up in the service's reference.";
  }
}

function credentialsText(code: string): string {
  if (NO_CREDENTIALS.has(code)) {
    return (
      "There are no AWS credentials. Give this process credentials by the AWS SDK's rules: AWS_ACCESS_KEY_ID and " +
      "AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of its host or pod."
    );
  }
  return (
    "AWS did not accept the credentials of this process. They are read anew before each try: give this process " +
    "credentials of the right account, and look at the region of the ARN."
  );
}

function deniedText(code: string, { action, resource, allowHint }: AwsAction): string {
  if (/^kms/i.test(code)) {
    return `Look at the KMS key of ${resource}: whether it is enabled, and whether these credentials may kms:Decrypt and kms:GenerateDataKey with it.`;
  }
  const hint = allowHint === undefined ? "" : ` ${allowHint}`;
  return (
    `Allow ${action} on ${resource} to this process's AWS credentials, also in the resource's own policy when its ` +
    `account is another.${hint}`
  );
}

function clockText(behindMs: number): string {
  const minutes = Math.round(Math.abs(behindMs) / 60_000);
  return `This host's clock is ${minutes} minutes ${behindMs > 0 ? "behind" : "ahead of"} the service's.`;
}

function endpointSettings({ endpointVariable }: AwsAction): string {
  return `${endpointVariable} and AWS_ENDPOINT_URL`;
}
