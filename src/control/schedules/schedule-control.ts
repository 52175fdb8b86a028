import type { z } from "zod";
import { scheduleFaults } from "../../manifests/schedule-checks.ts";
import { type ScheduleResource, scheduleKey, scheduleTimetable } from "../../manifests/schedule-resource.ts";
import { scheduleSpec } from "../../manifests/schedule-schema.ts";
import type { ResourceDocument } from "../../resources/document.ts";
import { SCHEDULE_GROUP_KIND, SCHEDULE_KIND } from "../../resources/kinds.ts";
import { ticksToCome } from "../../schedules/next-ticks.ts";
import { ControlFault } from "../control-fault.ts";
import { createdMs, RowWriter, type RowWriterOptions } from "./row-writer.ts";
import { type KeptSchedule, schedulesOf, sinceMs } from "./schedule-rows.ts";

export interface ScheduleView {
  readonly schedule: ScheduleResource;
  readonly createdMs: number;
  readonly lastModifiedMs: number;
  /** Epoch milliseconds; none while it is disabled. */
  readonly nextTicks: readonly number[];
}

export interface GroupView {
  readonly name: string;
  readonly createdMs: number;
  readonly lastModifiedMs: number;
}

const SHOWN_TICKS = 5;
const DEFAULT_GROUP = "default";

/** What callers of EventBridge Scheduler's API do to schedules and their groups, in AWS's words (invocation §12). */
export class ScheduleControl {
  readonly #schedules: RowWriter;
  readonly #groups: RowWriter;
  readonly #options: RowWriterOptions;

  constructor(options: RowWriterOptions) {
    this.#options = options;
    this.#schedules = new RowWriter(SCHEDULE_KIND, options);
    this.#groups = new RowWriter(SCHEDULE_GROUP_KIND, options);
  }

  /** In the order of groups and names. */
  async list(): Promise<readonly ScheduleView[]> {
    return schedulesOf(await this.#schedules.list()).schedules.map((kept) => this.#view(kept));
  }

  async get(group: string, name: string): Promise<ScheduleView> {
    const key = `${group}/${name}`;
    const view = (await this.list()).find(({ schedule }) => scheduleKey(schedule) === key);
    if (view === undefined) throw missing(`Schedule ${name} does not exist.`);
    return view;
  }

  /** `spec`: lower-camel fields. */
  async create(name: string, spec: Readonly<Record<string, unknown>>): Promise<ScheduleResource> {
    const schedule = { name, spec: checkedSpec(spec) };
    await this.#checkGroup(schedule.spec.groupName);
    if (await this.#schedules.insert(scheduleKey(schedule), schedule.spec)) return schedule;
    throw new ControlFault("ConflictException", `Schedule ${name} already exists.`);
  }

  /** Replaces all of it: what is not given becomes its default. */
  async update(name: string, spec: Readonly<Record<string, unknown>>): Promise<ScheduleResource> {
    const schedule = { name, spec: checkedSpec(spec) };
    if (await this.#schedules.change(scheduleKey(schedule), () => schedule.spec)) return schedule;
    throw missing(`Schedule ${name} does not exist.`);
  }

  async remove(group: string, name: string): Promise<void> {
    if (!(await this.#schedules.remove(`${group}/${name}`)))
      throw missing(`Schedule ${name} does not exist.`);
  }

  /** In the order of names: those that were made, and those that schedules of manifests name. */
  async groups(): Promise<readonly GroupView[]> {
    const made = (await this.#groups.list()).map(({ name }) => name);
    const named = (await this.list()).map(({ schedule }) => schedule.spec.groupName);
    const views = [...new Set([DEFAULT_GROUP, ...made, ...named])].toSorted().map(async (name) => {
      const found = await this.#groups.find(name);
      const [since, changed] = found ? [createdMs(found.document), found.document.lastModifiedMs] : [0, 0];
      return { name, createdMs: since, lastModifiedMs: changed };
    });
    return await Promise.all(views);
  }

  async group(name: string): Promise<GroupView> {
    const found = (await this.groups()).find((group) => group.name === name);
    if (found === undefined) throw missing(`Schedule group ${name} does not exist.`);
    return found;
  }

  async createGroup(name: string): Promise<void> {
    if (name === DEFAULT_GROUP || !(await this.#groups.insert(name, {})))
      throw new ControlFault("ConflictException", `Schedule group ${name} already exists.`);
  }

  /** With all of its schedules. */
  async removeGroup(name: string): Promise<void> {
    if (name === DEFAULT_GROUP)
      throw new ControlFault("ValidationException", "The default schedule group cannot be deleted.");
    await this.group(name);
    for (const { schedule } of await this.list()) {
      if (schedule.spec.groupName === name) await this.#schedules.remove(scheduleKey(schedule));
    }
    await this.#groups.remove(name);
  }

  async #checkGroup(name: string): Promise<void> {
    await this.group(name);
  }

  #view({ schedule, document, row }: KeptSchedule): ScheduleView {
    const nowMs = this.#options.clock.now();
    const { lastModifiedMs } = document;
    const timetable = scheduleTimetable(schedule.spec, { uid: row.uid, anchorMs: sinceMs(document) });
    const isRunning = schedule.spec.state === "ENABLED" && isLive(document);
    const ticks = timetable === undefined || !isRunning ? [] : ticksToCome(timetable, nowMs, SHOWN_TICKS);
    const nextTicks = ticks.map(({ dueMs }) => dueMs);
    return { schedule, createdMs: createdMs(document), lastModifiedMs, nextTicks };
  }
}

function isLive({ conditions }: ResourceDocument): boolean {
  return conditions.length === 0;
}

function checkedSpec(spec: Readonly<Record<string, unknown>>): ScheduleResource["spec"] {
  const parsed = scheduleSpec.safeParse(spec);
  if (!parsed.success) throw shapeFault(parsed.error, spec);
  const [fault] = scheduleFaults(parsed.data);
  if (fault !== undefined) throw new ControlFault("ValidationException", fault.message);
  return parsed.data;
}

/** AWS's template, of the first value that is out of its range. */
export function shapeFault(error: z.ZodError, spec: Readonly<Record<string, unknown>>): ControlFault {
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  let value: unknown = spec;
  for (const step of path)
    value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
  const shown = value === undefined ? "null" : `'${(JSON.stringify(value) ?? "").slice(0, 140)}'`;
  const constraint = value === undefined ? "Member must not be null" : (issue?.message ?? "");
  const message = `1 validation error detected: Value ${shown} at '${path.join(".")}' failed to satisfy constraint: ${constraint}`;
  return new ControlFault("ValidationException", message);
}

function missing(message: string): ControlFault {
  return new ControlFault("ResourceNotFoundException", message);
}
