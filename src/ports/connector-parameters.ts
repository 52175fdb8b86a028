import type { FieldSchema } from "../model/field-schema.ts";
import type { QueueMapping, StartingPosition, StreamMapping } from "../model/mapping.ts";

/**
 * What mappings of a connector's sources have that others have not. A connector exports it, `connectors/registry.ts`
 * lists the connectors, and whatever reads, checks, keeps or shows a mapping asks here: `src/` knows no source by name.
 *
 * Laws:
 * - Everything here is a value, or a pure function of what it is given: no I/O, no time, no chance.
 * - `check` and `claims` never throw, whatever stands in a field: shapes are checked apart, and may be wrong.
 * - Two connectors that have a field of the same name give it the same schema.
 * - The strings of claims are kept in stores: those of one mapping are the same in all versions.
 */
export interface ConnectorParameters {
  /** What texts call the sources, as in "a function that TITLE invokes". */
  readonly title: string;
  /** What fields of its own are for, as in "it is for NOUN". Default: the title. */
  readonly sourceNoun?: string;
  /** What a filter pattern may ask of a record's data: default of streams `object`, of queues `any` (filters §3). */
  readonly filterDataPattern?: "object" | "any";
  /** Fields of `spec` of its own. AWS's names of them differ in capitals only. */
  readonly fields: Readonly<Record<string, FieldSchema>>;
  /** Common fields: those of its kind that it has not, those of the other kind that it has. */
  readonly refuses?: readonly string[];
  readonly takes?: readonly string[];
  /** Sentences about common fields that are added to their descriptions, by the fields' names. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Own fields that UpdateEventSourceMapping leaves as they are (streams §1.3). */
  readonly immutable?: readonly string[];
  /** Own fields that say something even when they are empty. */
  readonly keptEmpty?: readonly string[];
  readonly defaults?: MappingDefaults;
  /** Longest time-out of a function that it invokes. */
  readonly functionTimeoutSecondsMax?: number;
  /** A failure destination that is a part of the source. */
  readonly destination?: SourceDestination;
  /** What AWS's credentials must allow to read such a source. */
  readonly actions?: readonly string[];
  /** Rules between fields, beyond their shapes; what is broken is reported by the names of rules in `texts`. */
  check?(mapping: WrittenMapping, report: ReportFault): void;
  readonly texts?: FaultTexts;
  /**
   * Own fields as the API shows them, defaults filled in (streams §1.4); secrets are named, never shown. Default: as
   * they were given.
   */
  shown?(mapping: StreamMapping | QueueMapping, settings: ShownSettings): Readonly<Record<string, unknown>>;
  /** What the API says of a state that somebody asked for. Default: of streams `User action`. */
  readonly stateReason?: "User action" | "USER_INITIATED";
  /** What people call the source of a mapping that has no ARN. */
  sourceName?(settings: ShownSettings): string;
  /** AWS does not look whether the source is there when a mapping is made (kafka §4). */
  readonly isUnseen?: true;
  /** Progress is the source's own: of parts that other processes read, only the source knows. */
  readonly keepsProgress?: true;
  /** What no two mappings may have in common. Default: the ARN, of one mapping for each function. */
  claims?(mapping: WrittenMapping): readonly SourceClaim[];
  /** Events of functions in templates that are mappings of such sources, by their types. */
  readonly templateEvents?: Readonly<Record<string, TemplateEvent>>;
  /**
   * Sources that a connector keeps itself, in place of what templates have AWS make: by the type of the template's
   * resource, what stands before the name in the ARN's last part, as `stream/`.
   */
  readonly templateSources?: Readonly<Record<string, string>>;
}

/** How a template writes a function's event. Properties that are not named here are AWS's parameters of mappings. */
export interface TemplateEvent {
  /** Where the values of these properties stand in a mapping's `spec`. */
  readonly moved: Readonly<Record<string, readonly string[]>>;
}

/** What a mapping that has passed all checks says of its source. */
export interface ShownSettings {
  /** Fields of the connector's own, by their names. */
  readonly own?: Readonly<Record<string, unknown>>;
  /** `spec.endpoints`, paths already made absolute. */
  readonly endpoints?: Readonly<Record<string, readonly string[]>>;
  /** Absolute; what relative paths in fields start from. Default: the working directory. */
  readonly folder?: string;
}

export interface SourceClaim {
  /** JSON values. With the function's name and qualifier behind them if the claim `isOfFunction`. */
  readonly key: readonly unknown[];
  readonly isOfFunction: boolean;
  /**
   * What is said of the second mapping. Its facts get `uuid`, of the first, and `functionName` and `functionArn`; of
   * manifests also `at`, where the first stands.
   */
  readonly fault: SpecFault;
}

export interface MappingDefaults {
  /** `undefined`: a mapping must say it. */
  readonly startingPosition?: StartingPosition["kind"];
  readonly batchSize?: number;
  readonly batchingWindowMs?: number;
  /** Queues: batches at once, over all processes, where `scalingConfig` does not say it. */
  readonly concurrencyMax?: number;
  /** Where a failure destination is named, and no number of retries. */
  readonly retryAttemptsWithDestination?: number;
  /** `provisionedPollerConfig`, of who takes it: what a bound is that was left out. */
  readonly pollers?: { readonly minimum: number; readonly maximum: number };
}

/** Texts of `destinationConfig` that begin with `SCHEME:`; the connector's `openDestination` opens them. */
export interface SourceDestination {
  readonly scheme: string;
  readonly form: string;
  /** AWS's pattern of it, as its texts show it; absent: AWS knows no such destination. */
  readonly pattern?: string;
  /** What is wrong with such a text; `undefined`: nothing. */
  problemOf(text: string): string | undefined;
  /** What is said where a mapping of another source names it. */
  readonly foreign: string;
}

/** A mapping as somebody wrote it, of any shape. */
export interface WrittenMapping {
  /** The value at `path`, below `spec`. */
  raw(...path: readonly PropertyKey[]): unknown;
  /** Absolute; what relative paths start from. */
  readonly folder: string;
}

/** What is wrong, as a value: texts are made where somebody reads them. */
export interface SpecFault {
  readonly rule: string;
  /** Below `spec`. */
  readonly path: readonly PropertyKey[];
  /** What the place of the fault is; default: the value. */
  readonly part?: "key" | "value";
  readonly facts?: FaultFacts;
}

export type FaultFacts = Readonly<Record<string, unknown>>;

export type ReportFault = (fault: SpecFault) => void;

/** What is said of broken rules, by their names. */
export type FaultTexts = Readonly<Record<string, (fault: SpecFault) => FaultText>>;

export interface FaultText {
  /** In AWS's words where it has some: it is what a caller of the API reads. */
  readonly message: string;
  /** What to write instead, for who writes manifests. */
  readonly remedy: string;
}
