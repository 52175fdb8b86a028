import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What one environment may have. */
export interface CgroupLimits {
  readonly memoryMb: number;
  readonly processesMax: number;
}

/** A file of a control group and what is written into it. */
interface CgroupSetting {
  readonly file: string;
  value(limits: CgroupLimits): string;
  /** Not every kernel has it. */
  readonly isOptional?: boolean;
}

/** Where the groups of environments are made, in one hierarchy of the kernel. */
interface CgroupHierarchy {
  readonly parent: string;
  readonly settings: readonly CgroupSetting[];
}

/** Where the kernel has what: version 2 has one hierarchy, version 1 one for each controller. */
export interface CgroupLayout {
  readonly version: 1 | 2;
  /** The first is that of memory. */
  readonly hierarchies: readonly CgroupHierarchy[];
  /** Files of the first: the most memory that it had, and what tells of kills for want of memory. */
  readonly peak: string;
  readonly events: string;
  /** How all of it is ended at once: one file does it, or it is frozen while each is killed. */
  readonly end: { readonly parent: string; readonly file: string; readonly frozen: boolean } | undefined;
}

/** On Lambda an environment has one CPU for so much memory. */
const MB_PER_CPU = 1_769;
const PERIOD_US = 100_000;
const BYTES_PER_MB = 1024 * 1024;
const QUOTA_US_MIN = 1_000;
/** Where this process goes, so that groups beside it may have limits. */
const OWN_GROUP = "millrace-engine";

const bytesOf = ({ memoryMb }: CgroupLimits) => String(memoryMb * BYTES_PER_MB);
const processesOf = ({ processesMax }: CgroupLimits) => String(processesMax);
const quotaOf = ({ memoryMb }: CgroupLimits) =>
  String(Math.max(QUOTA_US_MIN, Math.round((PERIOD_US * memoryMb) / MB_PER_CPU)));

/**
 * What this machine has, by the files where Linux tells it; a text: why there is nothing.
 * @param root where control groups are mounted
 * @param own what `/proc/self/cgroup` says
 */
export function findCgroups(root: string, own: string): CgroupLayout | string {
  const paths = new Map(
    own
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => {
        const [, controllers = "", ...path] = line.split(":");
        return controllers.split(",").map((controller) => [controller, path.join(":")] as const);
      }),
  );
  const path = paths.get("");
  if (path !== undefined && existsSync(join(root, "cgroup.controllers"))) return findSecond(join(root, path));
  const memory = paths.get("memory");
  if (memory === undefined) return "this machine limits no memory by control groups";
  return findFirst(root, paths);
}

function findSecond(parent: string): CgroupLayout | string {
  try {
    delegate(parent);
  } catch (error) {
    return `control groups below ${parent} cannot be given limits: ${codeOf(error)}`;
  }
  const settings: readonly CgroupSetting[] = [
    { file: "memory.max", value: bytesOf },
    { file: "memory.swap.max", value: () => "0", isOptional: true },
    { file: "memory.oom.group", value: () => "1", isOptional: true },
    { file: "pids.max", value: processesOf },
    { file: "cpu.max", value: (limits) => `${quotaOf(limits)} ${PERIOD_US}`, isOptional: true },
  ];
  return {
    version: 2,
    hierarchies: [{ parent, settings }],
    peak: "memory.peak",
    events: "memory.events",
    end: { parent, file: "cgroup.kill", frozen: false },
  };
}

/** A group with limits has groups below it, or processes, and not both. */
function delegate(parent: string): void {
  const control = join(parent, "cgroup.subtree_control");
  const wanted = ["memory", "pids", "cpu"].filter((name) =>
    readFileSync(join(parent, "cgroup.controllers"), "utf8").includes(name),
  );
  const write = () => writeFileSync(control, wanted.map((name) => `+${name}`).join(" "));
  try {
    write();
  } catch (error) {
    if (codeOf(error) !== "EBUSY") throw error;
    mkdirSync(join(parent, OWN_GROUP), { recursive: true });
    for (const pid of readFileSync(join(parent, "cgroup.procs"), "utf8").split("\n"))
      if (pid !== "") writeFileSync(join(parent, OWN_GROUP, "cgroup.procs"), pid);
    write();
  }
}

function findFirst(root: string, paths: ReadonlyMap<string, string>): CgroupLayout {
  const place = (controller: string) => join(root, controller, paths.get(controller) ?? "/");
  const has = (controller: string) => paths.has(controller) && existsSync(place(controller));
  const hierarchies: CgroupHierarchy[] = [
    {
      parent: place("memory"),
      settings: [
        { file: "memory.limit_in_bytes", value: bytesOf },
        { file: "memory.memsw.limit_in_bytes", value: bytesOf, isOptional: true },
      ],
    },
  ];
  if (has("pids"))
    hierarchies.push({ parent: place("pids"), settings: [{ file: "pids.max", value: processesOf }] });
  if (has("cpu"))
    hierarchies.push({
      parent: place("cpu"),
      settings: [
        { file: "cpu.cfs_period_us", value: () => String(PERIOD_US), isOptional: true },
        { file: "cpu.cfs_quota_us", value: quotaOf, isOptional: true },
      ],
    });
  if (has("freezer")) hierarchies.push({ parent: place("freezer"), settings: [] });
  return {
    version: 1,
    hierarchies,
    peak: "memory.max_usage_in_bytes",
    events: "memory.oom_control",
    end: has("freezer") ? { parent: place("freezer"), file: "freezer.state", frozen: true } : undefined,
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
