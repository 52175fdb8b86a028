import type { FaultTexts, ReportFault, WrittenMapping } from "../../src/ports/connector-parameters.ts";
import { parseSecretUri } from "../../src/secrets/secret-uri.ts";
import {
  IAM_ACCESS_TYPES,
  isPlainAccess,
  isSecretAccess,
  PLAIN_ACCESS_TYPES,
  TOPIC_ACCESS_TYPES,
} from "./settings.ts";

const ACCESS = "sourceAccessConfigurations";
/** AWS's bound of a `URI` (queues §1.1). */
const VALUE_CHARS_MAX = 200;
const LOGINS: readonly string[] = [
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "OAUTHBEARER_AUTH",
  ...IAM_ACCESS_TYPES,
];
/** What MSK has none of (kafka §6): its IAM needs no entry. */
const NOT_ON_MSK: readonly string[] = [
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "OAUTHBEARER_AUTH",
  ...PLAIN_ACCESS_TYPES,
  ...IAM_ACCESS_TYPES,
];

export const ACCESS_TEXTS: FaultTexts = {
  noAccess: () => ({
    message: `Required '${ACCESS}' parameter is missing.`,
    remedy: "Give how to log in, or an empty list for a cluster without TLS and login",
  }),
  notOnMsk: ({ facts }) => ({
    message: `Amazon MSK has no ${facts?.["type"]}`,
    remedy:
      "Give SASL_SCRAM_512_AUTH or CLIENT_CERTIFICATE_TLS_AUTH, or none of them and the servers of IAM, on port 9098",
  }),
  notOfTopics: ({ facts }) => ({
    message: `A Kafka topic has no ${facts?.["type"]}`,
    remedy: `Give one of ${TOPIC_ACCESS_TYPES.join(", ")}`,
  }),
  secondLogin: ({ facts }) => ({
    message: `There is ${facts?.["rival"]} already`,
    remedy: "Give one way to log in, and one certificate authority",
  }),
  withoutLogin: ({ facts }) => ({
    message: `${facts?.["type"]} needs ${facts?.["login"]}, which is missing`,
    remedy: `Give ${facts?.["login"]}, or remove it`,
  }),
  noAudience: () => ({
    message: "IAM_OAUTHBEARER_AUTH needs OAUTHBEARER_AUDIENCE, which is missing",
    remedy: "Give OAUTHBEARER_AUDIENCE with the audience that the brokers expect",
  }),
  iamUri: ({ facts }) => ({
    message: `${facts?.["type"]} has no uri: the AWS credentials of this process log in`,
    remedy: "Remove the uri",
  }),
  accessValue: ({ facts }) => ({
    message: `${facts?.["type"]} is the value itself, of 1 to ${VALUE_CHARS_MAX} printable characters`,
    remedy: "Give the value, not where a secret stands",
  }),
};

/** Which ways to log in go together (kafka §6, brokers §5). */
export function checkAccess(mapping: WrittenMapping, isSelfManaged: boolean, report: ReportFault): void {
  const entries = mapping.raw(ACCESS);
  if (entries === undefined && isSelfManaged) report({ rule: "noAccess", path: [], part: "key" });
  if (!Array.isArray(entries)) return;
  const types = entries.map((_, index) => mapping.raw(ACCESS, index, "type"));
  for (const [index, type] of types.entries()) {
    if (typeof type !== "string" || type.startsWith("VPC_")) continue;
    const path = [ACCESS, index, "type"];
    if (!TOPIC_ACCESS_TYPES.some((each) => each === type)) {
      report({ rule: "notOfTopics", path, facts: { type } });
      continue;
    }
    checkUri(mapping, index, type, report);
    if (!isSelfManaged && NOT_ON_MSK.includes(type)) report({ rule: "notOnMsk", path, facts: { type } });
    const before = types.slice(0, index);
    const rival = LOGINS.includes(type) ? LOGINS.find((login) => before.includes(login)) : undefined;
    if (rival !== undefined || before.includes(type))
      report({ rule: "secondLogin", path, facts: { rival: rival ?? type } });
    checkCompany(type, types, path, report);
  }
}

function checkUri(mapping: WrittenMapping, index: number, type: string, report: ReportFault): void {
  const uri = mapping.raw(ACCESS, index, "uri");
  const path = [ACCESS, index, "uri"];
  if (IAM_ACCESS_TYPES.some((each) => each === type)) {
    if (uri !== undefined) report({ rule: "iamUri", path, part: "key", facts: { type } });
    return;
  }
  if (uri === undefined) report({ rule: "accessUri", path: [ACCESS, index], part: "key", facts: { type } });
  if (typeof uri !== "string") return;
  if (isPlainAccess(type)) {
    if (!isPrintable(uri)) report({ rule: "accessValue", path, facts: { type } });
  } else if (isSecretAccess(type)) {
    const secret = parseSecretUri(uri, mapping.folder);
    if (secret.kind === "fault")
      report({ rule: "secretReference", path, facts: { problem: secret.problem } });
  }
}

/** What the values of a token stand beside: what else stood in a request or a login would be another's to write. */
function checkCompany(
  type: string,
  types: readonly unknown[],
  path: readonly (string | number)[],
  report: ReportFault,
): void {
  if (type === "IAM_OAUTHBEARER_AUTH" && !types.includes("OAUTHBEARER_AUDIENCE"))
    report({ rule: "noAudience", path });
  if (!isPlainAccess(type) || types.includes("OAUTHBEARER_AUTH")) return;
  if (type === "OAUTHBEARER_AUDIENCE" && types.includes("IAM_OAUTHBEARER_AUTH")) return;
  const login =
    type === "OAUTHBEARER_AUDIENCE" ? "OAUTHBEARER_AUTH or IAM_OAUTHBEARER_AUTH" : "OAUTHBEARER_AUTH";
  report({ rule: "withoutLogin", path, facts: { type, login } });
}

/** The login separates its parts by control characters. */
function isPrintable(text: string): boolean {
  return text.length <= VALUE_CHARS_MAX && /^[\x20-\x7e]+$/.test(text) && !/^(?:file|env):/.test(text);
}
