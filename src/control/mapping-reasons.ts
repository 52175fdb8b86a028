import { type Reason, reason } from "../model/reason.ts";
import type { MappingView } from "./mapping-view.ts";
import type { MappingSight } from "./told-parts.ts";

export interface MappingReasonsOptions {
  /** Processes that live and have not carried out what the store held at this version. */
  readonly behind: (version: number) => readonly string[];
  /** The manifests of this process have it. */
  readonly isDeclared: (uuid: string) => boolean;
}

/** Why a mapping as a whole is where it is: its state, and who has to carry it out. */
export function mappingReasons(
  view: MappingView,
  { processes, parts }: MappingSight,
  { behind, isDeclared }: MappingReasonsOptions,
): readonly Reason[] {
  const { uuid } = view.resource.mapping;
  // The row is somebody else's: it runs, and not what the manifest says.
  const shadow = isDeclared(uuid) && !view.isFromManifest ? [reason("manifestShadowed")] : [];
  if (view.state === "Disabled") return [reason("disabled"), ...shadow];
  if (view.changing !== undefined) {
    const [process] = behind(view.changing);
    return [reason("updating", { facts: process === undefined ? {} : { process } }), ...shadow];
  }
  const isTold = parts.some(({ reasons }) => reasons.length > 0);
  const isRun = processes.some(({ standing }) => standing === "lives");
  return isRun || isTold ? shadow : [reason("unowned"), ...shadow];
}
