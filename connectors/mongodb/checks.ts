import { checkLogins } from "../../src/brokers/mapping-checks.ts";
import type {
  FaultTexts,
  ReportFault,
  SourceClaim,
  WrittenMapping,
} from "../../src/ports/connector-parameters.ts";
import { endpointProblems } from "./endpoint.ts";
import { CLUSTER_ENDPOINTS, CONFIG } from "./settings.ts";

const ACCESS = "sourceAccessConfigurations";

/** Rules between the fields of a mapping of a change stream (brokers §4). */
export function checkMongoMapping(mapping: WrittenMapping, report: ReportFault): void {
  if (mapping.raw(CONFIG) === undefined) report({ rule: "noDatabase", path: [], part: "key" });
  if (mapping.raw(ACCESS) === undefined) report({ rule: "noLogin", path: [], part: "key" });
  checkEndpoints(mapping, report);
  checkLogins(mapping, [], report);
}

export const MONGO_TEXTS: FaultTexts = {
  noDatabase: () => ({
    message: `Required '${CONFIG}' parameter is missing.`,
    remedy: `Give ${CONFIG}: { databaseName: DATABASE, collectionName: COLLECTION }`,
  }),
  clusterMember: ({ facts }) => ({
    message: String(facts?.["problem"]),
    remedy:
      "Give mongodb://HOST:PORT for each member, or mongodb+srv://HOST alone, without a login, and behind /? no other options than tls, replicaSet, authSource and directConnection",
  }),
  noLogin: () => ({
    message: `Required '${ACCESS}' parameter is missing.`,
    remedy: "Give BASIC_AUTH or CLIENT_CERTIFICATE_TLS_AUTH, or an empty list for a cluster without logins",
  }),
  accessType: ({ facts }) => ({
    message: `MongoDB and DocumentDB have no ${facts?.["type"]}`,
    remedy: "Give one of BASIC_AUTH, CLIENT_CERTIFICATE_TLS_AUTH, SERVER_ROOT_CA_CERTIFICATE",
  }),
  secondLogin: ({ facts }) => ({
    message: `There is ${facts?.["rival"]} already`,
    remedy: "Give one of each type",
  }),
  // AWS documents no text for these; this is that of mappings which look alike (kafka §4).
  exists: ({ facts = {} }) => ({
    message: `An event source mapping with event source ("${facts["arn"]}"), function ("${facts["functionArn"]}"), namespace ("${facts["namespace"]}") already exists. Please update or delete the existing mapping with UUID ${facts["uuid"]}`,
    remedy: "Remove one of the two mappings",
  }),
};

/** A function reads a collection, or a database, of a cluster once (brokers §4). */
export function mongoClaims(mapping: WrittenMapping): readonly SourceClaim[] {
  const arn = mapping.raw("eventSourceArn");
  const database = mapping.raw(CONFIG, "databaseName");
  const collection = mapping.raw(CONFIG, "collectionName") ?? null;
  if (typeof database !== "string") return [];
  const namespace = collection === null ? database : `${database}.${collection}`;
  const fault = { rule: "exists", path: [CONFIG], facts: { arn, namespace } };
  return [{ key: ["source", arn, database, collection], isOfFunction: true, fault }];
}

function checkEndpoints(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["endpoints", CLUSTER_ENDPOINTS];
  const endpoints = mapping.raw(...path);
  if (!Array.isArray(endpoints) || !endpoints.every((each) => typeof each === "string")) return;
  for (const [index, problem] of endpointProblems(endpoints).entries())
    if (problem !== undefined) report({ rule: "clusterMember", path: [...path, index], facts: { problem } });
}
