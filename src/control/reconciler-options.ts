import type { Clock } from "../ports/clock.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { DeclaredHere } from "./declared-here.ts";
import type { FunctionBook } from "./function-book.ts";
import type { KeptMapping, RowReading } from "./mapping-record.ts";
import type { MappingRunner } from "./mapping-runner.ts";
import type { RouteBook } from "./routes/route-book.ts";
import type { ScheduleBook } from "./schedules/schedule-book.ts";

export interface ReconcilerOptions extends RowReading {
  /** This life of this process has it. */
  readonly processId: string;
  readonly store: ResourceStore;
  readonly progress: ProgressStore;
  readonly runner: MappingRunner;
  readonly functions: FunctionBook;
  /** Absent: nobody asks for them. */
  readonly routes?: RouteBook | undefined;
  /** Absent: nobody asks for them. */
  readonly schedules?: Pick<ScheduleBook, "declare"> | undefined;
  /** What manifests of this process declare. Default: it runs what any manifest has declared. */
  readonly declared?: () => DeclaredHere;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** As the last look had it. */
export interface KnownMapping {
  readonly kept: KeptMapping;
  readonly isToRun: boolean;
}
