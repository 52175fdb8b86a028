import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ControlPlane } from "../../control/control-plane.ts";
import type { GroupView, ScheduleView } from "../../control/schedules/schedule-control.ts";
import { arnPrefix, scheduleArn, scheduleKey, targetArn } from "../../manifests/schedule-resource.ts";
import { epochMsOf } from "../../manifests/timestamp.ts";
import type { Place } from "../../model/place.ts";
import { addRoute, jsonOf, paramOf, queryOf } from "../route.ts";
import { lowerMembers, upperMembers } from "./lower-members.ts";

const SCHEDULE = "/schedules/:name";
const GROUP = "/schedule-groups/:name";
const PAGE_MAX = 100;
/** What AWS's scheduler shows where none is given. */
const RETRIES = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 };

/** Operations of EventBridge Scheduler (invocation §12): clients find them by `AWS_ENDPOINT_URL_SCHEDULER`. */
export function addSchedulerRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addScheduleRoutes(app, control);
  addScheduleLists(app, control);
  addGroupRoutes(app, control);
}

function addScheduleRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: SCHEDULE,
    role: "write",
    action: "CreateSchedule",
    async handle(request) {
      const {
        timed: { schedules },
        place,
      } = control();
      const schedule = await schedules.create(paramOf(request, "name"), lowerMembers(jsonOf(request)));
      return { ScheduleArn: scheduleArn(schedule, place) };
    },
  });
  addRoute(app, {
    method: "PUT",
    url: SCHEDULE,
    role: "write",
    action: "UpdateSchedule",
    async handle(request) {
      const {
        timed: { schedules },
        place,
      } = control();
      const schedule = await schedules.update(paramOf(request, "name"), lowerMembers(jsonOf(request)));
      return { ScheduleArn: scheduleArn(schedule, place) };
    },
  });
  addRoute(app, {
    method: "GET",
    url: SCHEDULE,
    role: "read",
    async handle(request) {
      const {
        timed: { schedules },
        place,
      } = control();
      return scheduleShape(await schedules.get(groupOf(request), paramOf(request, "name")), place);
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: SCHEDULE,
    role: "write",
    action: "DeleteSchedule",
    async handle(request) {
      await control().timed.schedules.remove(groupOf(request), paramOf(request, "name"));
      return {};
    },
  });
}

function addScheduleLists(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/schedules",
    role: "read",
    async handle(request) {
      const {
        timed: { schedules },
        place,
      } = control();
      const [group, prefix = "", state] = ["ScheduleGroup", "NamePrefix", "State"].map((name) =>
        queryOf(request, name),
      );
      if (group !== undefined) await schedules.group(group);
      const found = (await schedules.list()).filter(
        ({ schedule: { name, spec } }) =>
          spec.groupName === (group ?? spec.groupName) &&
          name.startsWith(prefix) &&
          spec.state === (state ?? spec.state),
      );
      const { items, next } = pageOf(request, found, ({ schedule }) => scheduleKey(schedule));
      return { ...next, Schedules: items.map((view) => summaryOf(view, place)) };
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/schedules",
    role: "read",
    async handle() {
      const all = await control().toldBeside.schedules();
      return { schedules: all.filter(({ expression }) => expression !== undefined) };
    },
  });
}

function addGroupRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: GROUP,
    role: "write",
    action: "CreateScheduleGroup",
    async handle(request) {
      const {
        timed: { schedules },
        place,
      } = control();
      const name = paramOf(request, "name");
      await schedules.createGroup(name);
      return { ScheduleGroupArn: groupArn(name, place) };
    },
  });
  addRoute(app, {
    method: "GET",
    url: GROUP,
    role: "read",
    handle: async (request) =>
      groupShape(await control().timed.schedules.group(paramOf(request, "name")), control().place),
  });
  addRoute(app, {
    method: "DELETE",
    url: GROUP,
    role: "write",
    action: "DeleteScheduleGroup",
    async handle(request) {
      await control().timed.schedules.removeGroup(paramOf(request, "name"));
      return {};
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/schedule-groups",
    role: "read",
    async handle(request) {
      const prefix = queryOf(request, "NamePrefix") ?? "";
      const found = (await control().timed.schedules.groups()).filter(({ name }) => name.startsWith(prefix));
      const { items, next } = pageOf(request, found, ({ name }) => name);
      return { ...next, ScheduleGroups: items.map((view) => groupShape(view, control().place)) };
    },
  });
}

function groupOf(request: FastifyRequest): string {
  return queryOf(request, "groupName") ?? queryOf(request, "GroupName") ?? "default";
}

function scheduleShape({ schedule, createdMs, lastModifiedMs }: ScheduleView, place: Place) {
  const { startDate, endDate, target, ...spec } = schedule.spec;
  const { RetryPolicy, ...shown } = upperMembers(target);
  return {
    Arn: scheduleArn(schedule, place),
    Name: schedule.name,
    ...upperMembers(spec),
    ...(startDate === undefined ? {} : { StartDate: epochMsOf(startDate) / 1000 }),
    ...(endDate === undefined ? {} : { EndDate: epochMsOf(endDate) / 1000 }),
    Target: {
      ...shown,
      Arn: targetArn(target.arn, place),
      RetryPolicy: { ...RETRIES, ...(RetryPolicy as object | undefined) },
    },
    CreationDate: createdMs / 1000,
    LastModificationDate: lastModifiedMs / 1000,
  };
}

function summaryOf({ schedule, createdMs, lastModifiedMs }: ScheduleView, place: Place) {
  const { groupName, state, target } = schedule.spec;
  return {
    Arn: scheduleArn(schedule, place),
    Name: schedule.name,
    GroupName: groupName,
    State: state,
    Target: { Arn: targetArn(target.arn, place) },
    CreationDate: createdMs / 1000,
    LastModificationDate: lastModifiedMs / 1000,
  };
}

function groupShape({ name, createdMs, lastModifiedMs }: GroupView, place: Place) {
  return {
    Arn: groupArn(name, place),
    Name: name,
    State: "ACTIVE",
    CreationDate: createdMs / 1000,
    LastModificationDate: lastModifiedMs / 1000,
  };
}

function groupArn(name: string, place: Place): string {
  return `${arnPrefix("scheduler", place)}schedule-group/${name}`;
}

/** A part of a list that is in the order of its names. */
function pageOf<Item>(request: FastifyRequest, items: readonly Item[], nameOf: (item: Item) => string) {
  const wanted = Number(queryOf(request, "MaxResults") ?? PAGE_MAX);
  const size = Number.isInteger(wanted) ? Math.min(PAGE_MAX, Math.max(1, wanted)) : PAGE_MAX;
  const token = queryOf(request, "NextToken");
  const after = token === undefined ? "" : Buffer.from(token, "base64url").toString();
  const rest = items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  const isWhole = rest.length <= size || last === undefined;
  return {
    items: page,
    next: isWhole ? {} : { NextToken: Buffer.from(nameOf(last)).toString("base64url") },
  };
}
