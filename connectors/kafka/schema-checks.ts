import { isLoopbackHost } from "../../src/network/reachable-address.ts";
import type { FaultTexts, ReportFault, WrittenMapping } from "../../src/ports/connector-parameters.ts";
import { parseSecretUri } from "../../src/secrets/secret-uri.ts";

const GLUE_ARN = /^arn:aws[a-z-]*:glue:[a-z0-9-]+:\d{12}:registry\/[a-zA-Z0-9-_$#.]{1,255}$/;

export const SCHEMA_TEXTS: FaultTexts = {
  registryUri: () => ({
    message: "The text is neither the URL of a schema registry nor the ARN of one of AWS Glue",
    remedy:
      "Give https://HOST, without a login in it, or arn:aws:glue:REGION:ACCOUNT:registry/NAME; http:// is for this machine only",
  }),
  registryMember: ({ facts }) => ({
    message: `A schema registry needs ${facts?.["name"]}, which is missing`,
    remedy: `Give ${facts?.["name"]}`,
  }),
  registryTwice: ({ facts }) => ({
    message: `${facts?.["name"]} is there already`,
    remedy: "Give each once",
  }),
  glueAccess: () => ({
    message: "A registry of AWS Glue is opened by the AWS credentials of this process",
    remedy: "Remove accessConfigs",
  }),
};

/** What stands in `schemaRegistryConfig` (kafka §8). */
export function checkSchemas(mapping: WrittenMapping, config: string, report: ReportFault): void {
  const path = [config, "schemaRegistryConfig"];
  if (typeof mapping.raw(...path) !== "object") return;
  for (const name of ["schemaRegistryURI", "eventRecordFormat", "schemaValidationConfigs"])
    if (mapping.raw(...path, name) === undefined)
      report({ rule: "registryMember", path, part: "key", facts: { name } });
  const uri = mapping.raw(...path, "schemaRegistryURI");
  if (typeof uri === "string" && !isRegistry(uri))
    report({ rule: "registryUri", path: [...path, "schemaRegistryURI"] });
  checkTwice(mapping, [...path, "schemaValidationConfigs"], "attribute", report);
  checkTwice(mapping, [...path, "accessConfigs"], "type", report);
  const access = mapping.raw(...path, "accessConfigs");
  if (!Array.isArray(access)) return;
  if (access.length > 0 && String(uri).startsWith("arn:"))
    report({ rule: "glueAccess", path: [...path, "accessConfigs"], part: "key" });
  for (const index of access.keys()) {
    const place = [...path, "accessConfigs", index, "uri"];
    const text = mapping.raw(...place);
    const secret = typeof text === "string" ? parseSecretUri(text, mapping.folder) : undefined;
    if (secret?.kind === "fault")
      report({ rule: "secretReference", path: place, facts: { problem: secret.problem } });
  }
}

function isRegistry(text: string): boolean {
  if (text.startsWith("arn:")) return GLUE_ARN.test(text);
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const isBare = username === "" && password === "" && search === "" && hash === "";
  return isBare && (protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname)));
}

function checkTwice(
  mapping: WrittenMapping,
  path: readonly (string | number)[],
  member: string,
  report: ReportFault,
): void {
  const list = mapping.raw(...path);
  if (!Array.isArray(list)) return;
  const names = list.map((_, index) => mapping.raw(...path, index, member));
  for (const [index, name] of names.entries())
    if (typeof name === "string" && names.indexOf(name) < index)
      report({ rule: "registryTwice", path: [...path, index, member], facts: { name } });
}
