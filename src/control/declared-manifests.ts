import type { Manifests } from "../manifests/load-manifests.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector } from "../ports/connector.ts";
import type { ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { FUNCTION_KINDS, MAPPING_KIND } from "../resources/kinds.ts";
import { isSameOwner, type ManifestOwner, ownerText, revisionOf } from "../resources/owner.ts";
import { checkReservations } from "./account-concurrency.ts";
import { adoptedDocument } from "./adopted-document.ts";
import { declaredRow } from "./declared-document.ts";
import type { FunctionBook } from "./function-book.ts";
import { type Declaration, declarationsOf, functionsOf } from "./function-rows.ts";
import type { PackageParts } from "./functions/package-sweep.ts";
import { keptRows } from "./kept-rows.ts";
import { applySet, type SetReport } from "./manifest-set.ts";
import { mappingDeclaration } from "./mapping-declaration.ts";
import { mappingDocument } from "./mapping-record.ts";
import { publishedContents, withPublished } from "./published-aliases.ts";
import { routeDeclaration } from "./routes/route-rows.ts";
import { ruleDeclaration, scheduleDeclaration } from "./schedules/schedule-rows.ts";
import type { Refusal } from "./set-plan.ts";

export interface DeclaredManifestsOptions {
  readonly manifests: Manifests;
  readonly owner: ManifestOwner;
  readonly functionBook: FunctionBook;
  readonly connectors: readonly Connector[];
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
  /** Absent: functions have no code of their own. */
  readonly packages?: Pick<PackageParts, "keep"> | undefined;
  /** Manifests' mappings become the API's. */
  readonly isAdopting: boolean;
  /** Calls at once of all functions together; absent: there is no such bound. */
  readonly accountConcurrency?: number | undefined;
}

/** What of the manifests is not in force. */
export interface Undeclared {
  /** Names of mappings that are being deleted: they are declared once they are gone. */
  readonly waiting: readonly string[];
  /** Others declared them first. */
  readonly refusals: readonly Refusal[];
}

/**
 * Writes what the manifests declare as rows, once, and has this process know the functions that the rows then say.
 * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_CONFIG, ERR_MILLRACE_PACKAGE
 */
export async function declareManifests(options: DeclaredManifestsOptions): Promise<Undeclared> {
  const { manifests, owner, functionBook, store, clock, connectors } = options;
  if (manifests.isNone === true) {
    await functionBook.declare(functionsOf(await store.list(FUNCTION_KINDS)).functions);
    return { waiting: [], refusals: [] };
  }
  checkReservations(manifests.functions, options.accountConcurrency);
  const declarations = declarationsIn(manifests, connectors);
  const published = await publishedContents(declarations, options.packages?.keep);
  const prepare = (rows: readonly ResourceRow[]) => withPublished(declarations, published, rows, owner);
  const isKept = keptRows(manifests.kept ?? []);
  const report = await applySet({ store, owner, declarations, prepare, isKept, nowMs: clock.now() });
  tell(report, options);
  const isInForce = report.newerRevision === undefined;
  const adopted = options.isAdopting && isInForce ? await adoptMappings(declarations, options) : 0;
  tellAdopted(report.refusals.filter(wasAdopted).length + adopted, options);
  await functionBook.declare(functionsOf(await store.list(FUNCTION_KINDS)).functions);
  return { waiting: report.waiting ?? [], refusals: report.refusals };
}

/** All that manifests declare, in the order of writing. */
export function declarationsIn(
  { functions, mappings, routes = [], schedules = [], rules = [] }: Manifests,
  connectors: readonly Connector[],
): readonly Declaration[] {
  return [
    ...functions.flatMap(declarationsOf),
    ...mappings.map((resource) => mappingDeclaration(resource, connectors)),
    ...schedules.map(scheduleDeclaration),
    ...rules.map(ruleDeclaration),
    ...routes.map(routeDeclaration),
  ];
}

/** Resolves to how many. Whoever comes between has done it, or will. */
async function adoptMappings(
  declarations: readonly Declaration[],
  { store, owner, clock, telemetry }: DeclaredManifestsOptions,
): Promise<number> {
  const rows = new Map((await store.list([MAPPING_KIND])).map((row) => [row.uid, row]));
  let adopted = 0;
  for (const { name: uuid, title = uuid } of declarations) {
    const row = rows.get(uuid);
    const document = row && mappingDocument(row.document);
    if (row === undefined || document === undefined || !isSameOwner(document.owner, owner)) continue;
    const next = adoptedDocument(row.kind, document, { kind: "api", isAdopted: true }, clock.now());
    const written = await store.replace(declaredRow(row, uuid, row.claims, next), row.version);
    if (written.kind !== "written") continue;
    adopted += 1;
    telemetry.log("info", "mapping adopted", { mapping: title });
  }
  return adopted;
}

function tell(
  { refusals, newerRevision, isOtherContent, waiting = [] }: SetReport,
  { owner, telemetry }: Pick<DeclaredManifestsOptions, "owner" | "telemetry">,
): void {
  if (newerRevision !== undefined) {
    const message = "a newer revision of these manifests was applied before: what it declares stays in force";
    telemetry.log("warn", message, { set: owner.set, revision: revisionOf(owner), newerRevision });
  }
  if (isOtherContent === true) {
    const message =
      "this revision of the manifests was applied before with other content, and is applied anew: give each content a revision of its own (--manifest-revision)";
    telemetry.log("warn", message, { set: owner.set, revision: revisionOf(owner) });
  }
  for (const refusal of refusals.filter((each) => !wasAdopted(each))) {
    const fields = { [refusal.kind]: refusal.name, owner: ownerText(refusal.owner) };
    telemetry.log("error", refusalText(refusal), fields);
  }
  for (const name of waiting) {
    const message = "a mapping of the manifests is still being deleted: it is declared once it is gone";
    telemetry.log("info", message, { mapping: name });
  }
}

/** Why it is not in force, and the ways out. */
export function refusalText({ kind, name, owner, rival }: Refusal): string {
  const text = ownerText(owner);
  const ways = ["take it out of these manifests", "name their set (--manifest-set)"];
  if (rival !== undefined) {
    return `the ${kind} ${name} is not applied: what only one may have is of the ${rival}, which is declared by ${text}: ${ways[0]}, or remove the other`;
  }
  const given = `give it to them (millrace adopt ${kind}/${name} --to manifest)`;
  return `the ${kind} ${name} is declared by ${text}, and stays as it is: ${ways.join(", or ")}, or ${given}`;
}

/** Told as one: the operator has handed it over. */
function wasAdopted({ kind, owner, rival }: Refusal): boolean {
  return kind === MAPPING_KIND && rival === undefined && owner.kind === "api" && owner.isAdopted === true;
}

function tellAdopted(mappings: number, { telemetry }: Pick<DeclaredManifestsOptions, "telemetry">): void {
  if (mappings > 0) telemetry.log("info", "mappings of manifests are owned by the API", { mappings });
}
