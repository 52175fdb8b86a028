import type { ControlPlane } from "../control/control-plane.ts";
import { refusalText } from "../control/declared-manifests.ts";
import { manifestKindOf } from "../control/kept-rows.ts";
import type { ResourceKind } from "../manifests/schema.ts";
import type { Standing } from "./object-status.ts";

/** What the controller asks of the control plane. */
export type Plane = Pick<
  ControlPlane,
  "mappings" | "resources" | "refusals" | "toldFunctions" | "explainAll" | "everywhere"
>;

/** How resources stand, by kind and name. */
export interface Standings {
  /** This process is the one of all that live to write them down. */
  readonly isTeller: boolean;
  of(kind: ResourceKind, name: string): Standing | undefined;
}

const RUNS: Standing = { isReady: true, reason: "Running", message: "It does its work." };

/** How all resources of a set stand, over all processes. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
export async function standingsOf(plane: Plane, set: string): Promise<Standings> {
  const [views, explained, whole, declared] = await Promise.all([
    plane.mappings.list({}),
    plane.explainAll(),
    plane.everywhere(false),
    plane.resources.declaredBy(set),
  ]);
  const known = new Map<string, Standing>();
  const set_ = (kind: ResourceKind, name: string, standing: Standing) =>
    known.set(`${kind} ${name}`, standing);
  for (const { kind, name, isOrphaned } of declared) if (!isOrphaned) set_(kind, name, RUNS);
  const bad = new Map(explained.mappings.map((each) => [each.uuid, each]));
  for (const view of views) {
    const { uuid, name } = view.resource.mapping;
    if (!known.has(`EventSourceMapping ${name}`)) continue;
    const sights = whole.processes.flatMap(({ snapshot, standing }) =>
      standing === "lives" ? snapshot.mappings.filter((each) => each.uuid === uuid) : [],
    );
    const lagSeconds = Math.round(Math.max(0, ...sights.map(({ oldestAgeMs }) => oldestAgeMs)) / 1000);
    const cause = bad.get(uuid);
    const [error] = cause?.errors.errors ?? [];
    const fields = {
      ...{ uuid, state: view.state, lastProcessingResult: view.lastProcessingResult, lagSeconds },
      ...(error === undefined
        ? {}
        : { lastError: { id: error.id, type: error.errorType, count: error.count } }),
    };
    const reasons = [...(cause?.reasons ?? []), ...(cause?.parts.flatMap((part) => part.reasons) ?? [])];
    const [worst] = reasons;
    const problem = view.problem ?? (worst && `${worst.says} ${worst.remedy}`);
    if (view.state !== "Enabled" && problem === undefined)
      set_("EventSourceMapping", name, { ...stateStanding(view.state), fields });
    else if (problem === undefined) set_("EventSourceMapping", name, { ...RUNS, fields });
    else
      set_("EventSourceMapping", name, {
        isReady: false,
        reason: wordOf(worst?.code),
        message: problem,
        fields,
      });
  }
  for (const { kind, name } of declared) {
    const trouble = kind === "Function" ? plane.toldFunctions.troubleOf(name) : undefined;
    if (trouble !== undefined) set_(kind, name, { isReady: false, reason: "CannotStart", message: trouble });
  }
  for (const { kind, name, reasons } of explained.others) {
    const of = manifestKindOf(kind);
    const [worst] = reasons;
    if (of === undefined || worst === undefined || !known.has(`${of} ${name}`)) continue;
    set_(of, name, { isReady: false, reason: wordOf(worst.code), message: `${worst.says} ${worst.remedy}` });
  }
  for (const refusal of plane.refusals) {
    const of = manifestKindOf(refusal.kind);
    if (of === undefined) continue;
    set_(of, refusal.name, { isReady: false, reason: "OwnedByOther", message: refusalText(refusal) });
  }
  const living = whole.processes.filter(({ standing, isHere }) => isHere || standing === "lives");
  const [first] = living.toSorted((a, b) => (a.snapshot.processId < b.snapshot.processId ? -1 : 1));
  return {
    isTeller: first?.isHere ?? true,
    of: (kind, name) => known.get(`${kind} ${name}`),
  };
}

function stateStanding(state: string): Standing {
  const message = state === "Disabled" ? "It is disabled: enabled is false." : "It is being carried out.";
  return { isReady: false, reason: state, message };
}

/** A reason as Kubernetes writes one: `functionFails` is `FunctionFails`. */
function wordOf(code: string | undefined): string {
  return code === undefined ? "CannotStart" : code.charAt(0).toUpperCase() + code.slice(1);
}
