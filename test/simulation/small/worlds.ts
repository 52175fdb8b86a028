/** What a seed of a small world came to. */
export interface SeedRun {
  readonly violations: readonly string[];
  /** What happened, so that a run in which nothing did is seen. */
  readonly counts: Readonly<Record<string, number>>;
  readonly marks?: ReadonlyMap<string, number>;
}

export type RunSeed = (seed: number) => Promise<SeedRun>;

/** Steps of one walk through the life of a function's processes. */
export const HOST_STEPS = 2_000;

/** Simulations beside that of the engine: each loads its world, after a bug was planted into the sources. */
export const WORLDS = {
  control: async (): Promise<RunSeed> => (await import("../control/run-control-seed.ts")).runControlSeed,
  grants: async (): Promise<RunSeed> => (await import("../grants/run-grant-seed.ts")).runGrantSeed,
  tenants: async (): Promise<RunSeed> => (await import("../tenants/run-tenant-seed.ts")).runTenantSeed,
  rows: async (): Promise<RunSeed> => {
    const { runRedriveSeed } = await import("../redrive/run-redrive-seed.ts");
    return (seed) => runRedriveSeed(seed, "rows");
  },
  letters: async (): Promise<RunSeed> => {
    const { runRedriveSeed } = await import("../redrive/run-redrive-seed.ts");
    return (seed) => runRedriveSeed(seed, "letters");
  },
  quarantine: async (): Promise<RunSeed> =>
    (await import("../quarantine/run-quarantine-seed.ts")).runQuarantineSeed,
  schedules: async (): Promise<RunSeed> =>
    (await import("../schedules/run-schedule-seed.ts")).runScheduleSeed,
  thousandSchedules: async (): Promise<RunSeed> => {
    const { runScheduleWorld } = await import("../schedules/run-schedule-seed.ts");
    const size = { schedules: 1_000, minutes: 60, isExact: true, isUniform: true };
    return (seed) => runScheduleWorld({ seed, ...size });
  },
  events: async (): Promise<RunSeed> => (await import("../events/run-event-seed.ts")).runEventSeed,
  scaler: async (): Promise<RunSeed> => (await import("../scaler/scaler-world.ts")).runScalerSeed,
  host: async (): Promise<RunSeed> => {
    const { runHostSeed } = await import("../host/run-host-seed.ts");
    return (seed) => runHostSeed(seed, HOST_STEPS);
  },
} as const;

export type WorldName = keyof typeof WORLDS;
