import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NewAsyncItem } from "../../../src/model/async-item.ts";
import { FunctionApi } from "./function-api.ts";

const FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
const ROLE = "arn:aws:iam::123456789012:role/scheduler";
const OFF = { Mode: "OFF" };
const EVERY_MINUTE = {
  ScheduleExpression: "rate(1 minute)",
  FlexibleTimeWindow: OFF,
  Target: { Arn: FUNCTION, RoleArn: ROLE },
};

function bodyOf(item: NewAsyncItem | undefined): unknown {
  return item === undefined ? undefined : JSON.parse(Buffer.from(item.body).toString());
}

describe("EventBridge Scheduler's API", () => {
  test("a schedule is made, shown as AWS shows it, replaced whole and deleted", async (t) => {
    const api = await FunctionApi.start(t);
    const created = await api.ask("POST", "/schedules/tick", EVERY_MINUTE);
    const arn = "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/tick";
    assert.deepEqual([created.status, created.body], [200, { ScheduleArn: arn }]);
    const { CreationDate, LastModificationDate, ...shown } = (await api.ask("GET", "/schedules/tick")).body;
    assert.equal(CreationDate, LastModificationDate);
    assert.deepEqual(shown, {
      ActionAfterCompletion: "NONE",
      Arn: arn,
      FlexibleTimeWindow: OFF,
      GroupName: "default",
      Name: "tick",
      ScheduleExpression: "rate(1 minute)",
      ScheduleExpressionTimezone: "UTC",
      State: "ENABLED",
      Target: {
        Arn: FUNCTION,
        RoleArn: ROLE,
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    });
    const described = { ...EVERY_MINUTE, Description: "each minute", State: "DISABLED" };
    await api.ask("PUT", "/schedules/tick", described);
    assert.equal((await api.ask("GET", "/schedules/tick")).body["Description"], "each minute");
    await api.ask("PUT", "/schedules/tick", EVERY_MINUTE);
    const replaced = (await api.ask("GET", "/schedules/tick")).body;
    assert.deepEqual([replaced["Description"], replaced["State"]], [undefined, "ENABLED"]);
    assert.equal((await api.ask("DELETE", "/schedules/tick")).status, 200);
    const gone = await api.ask("GET", "/schedules/tick");
    assert.deepEqual([gone.status, gone.text], [404, "Schedule tick does not exist."]);
  });

  for (const [expression, message] of [
    ["cron(0 1 * * * *)", "Invalid Schedule Expression cron(0 1 * * * *)."],
    ["rate(10 seconds)", "Invalid Schedule Expression rate(10 seconds)."],
    [" rate(10 minutes)", "Invalid Schedule Expression  rate(10 minutes)."],
    ["at(2021-12-31T23:59:59Z)", "Invalid Schedule Expression at(2021-12-31T23:59:59Z)."],
  ] as const) {
    test(`refuses "${expression}" in AWS's words`, async (t) => {
      const api = await FunctionApi.start(t);
      const answer = await api.ask("POST", "/schedules/tick", {
        ...EVERY_MINUTE,
        ScheduleExpression: expression,
      });
      assert.deepEqual([answer.status, answer.fault, answer.text], [400, "ValidationException", message]);
    });
  }

  test("takes a rate whose unit is singular where it should not be, as AWS's scheduler does", async (t) => {
    const api = await FunctionApi.start(t);
    const answer = await api.ask("POST", "/schedules/tick", {
      ...EVERY_MINUTE,
      ScheduleExpression: "rate(2 minute)",
    });
    assert.equal(answer.status, 200);
  });

  test("refuses a second schedule of a name, and a group that is not there", async (t) => {
    const api = await FunctionApi.start(t);
    await api.ask("POST", "/schedules/tick", EVERY_MINUTE);
    const again = await api.ask("POST", "/schedules/tick", EVERY_MINUTE);
    assert.deepEqual([again.status, again.fault], [409, "ConflictException"]);
    const elsewhere = await api.ask("POST", "/schedules/tick", { ...EVERY_MINUTE, GroupName: "billing" });
    assert.deepEqual([elsewhere.status, elsewhere.text], [404, "Schedule group billing does not exist."]);
    assert.equal((await api.ask("POST", "/schedule-groups/billing", {})).status, 200);
    assert.equal(
      (await api.ask("POST", "/schedules/tick", { ...EVERY_MINUTE, GroupName: "billing" })).status,
      200,
    );
    const { Schedules } = (await api.ask("GET", "/schedules?ScheduleGroup=billing")).body;
    assert.equal(Array.isArray(Schedules) ? Schedules.length : 0, 1);
    await api.ask("DELETE", "/schedule-groups/billing");
    assert.equal((await api.ask("GET", "/schedules/tick?groupName=billing")).status, 404);
    assert.equal((await api.ask("GET", "/schedules/tick")).status, 200);
  });

  test("a tick becomes an asynchronous event with AWS's Scheduled Event, and the next ticks are shown", async (t) => {
    const api = await FunctionApi.start(t);
    const policy = { RetryPolicy: { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 } };
    await api.ask("POST", "/schedules/tick", {
      ...EVERY_MINUTE,
      Target: { ...EVERY_MINUTE.Target, ...policy },
    });
    const ticks = (await api.ask("GET", "/millrace/v1/schedules")).body["schedules"];
    assert(Array.isArray(ticks) && ticks[0].nextTicks.length === 5);
    await api.world.pass(3_000);
    const [item] = api.world.events.accepted;
    assert.deepEqual(
      [item?.lane, item?.qualifier, item?.state.route, item?.state.policy],
      ["f:orders", "", "schedule default/tick", { maximumRetryAttempts: 1, maximumEventAgeSeconds: 60 }],
    );
    const { id, time, ...event } = bodyOf(item) as Record<string, unknown>;
    assert.equal(id, item?.id);
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(event, {
      version: "0",
      "detail-type": "Scheduled Event",
      source: "aws.scheduler",
      account: "123456789012",
      region: "eu-west-1",
      resources: ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/tick"],
      detail: "{}",
    });
  });

  test("an input takes the event's place, with what the scheduler fills in", async (t) => {
    const api = await FunctionApi.start(t);
    const Input =
      '{"at":"<aws.scheduler.scheduled-time>","try":"<aws.scheduler.attempt-number>","keep":"<other>"}';
    await api.ask("POST", "/schedules/tick", { ...EVERY_MINUTE, Target: { ...EVERY_MINUTE.Target, Input } });
    await api.world.pass(3_000);
    const { at, ...rest } = bodyOf(api.world.events.accepted[0]) as Record<string, unknown>;
    assert.match(String(at), /Z$/);
    assert.deepEqual(rest, { try: "1", keep: "<other>" });
  });
});

describe("EventBridge's API", () => {
  const call = (api: FunctionApi, operation: string, body: object) =>
    api.ask("POST", "/", body, {
      "x-amz-target": `AWSEvents.${operation}`,
      "content-type": "application/x-amz-json-1.1",
    });
  const PATTERN = JSON.stringify({ source: ["shop"], detail: { total: [{ numeric: [">", 100] }] } });
  const ENTRY = { Source: "shop", DetailType: "order", Detail: JSON.stringify({ id: "o-1", total: 250 }) };

  async function withRule(
    t: Parameters<typeof FunctionApi.start>[0],
    target: object = {},
  ): Promise<FunctionApi> {
    const api = await FunctionApi.start(t);
    const put = await call(api, "PutRule", { Name: "large", EventPattern: PATTERN });
    assert.deepEqual(
      [put.status, put.body],
      [200, { RuleArn: "arn:aws:events:eu-west-1:123456789012:rule/large" }],
    );
    const targets = await call(api, "PutTargets", {
      Rule: "large",
      Targets: [{ Id: "1", Arn: FUNCTION, ...target }],
    });
    assert.deepEqual(targets.body, { FailedEntryCount: 0, FailedEntries: [] });
    return api;
  }

  test("an event goes to the targets of the rules that match, in its envelope", async (t) => {
    const api = await withRule(t);
    const answer = await call(api, "PutEvents", { Entries: [ENTRY, { ...ENTRY, Detail: '{"total":5}' }] });
    assert.deepEqual([answer.status, answer.body["FailedEntryCount"]], [200, 0]);
    const entries = answer.body["Entries"];
    assert(Array.isArray(entries) && entries.length === 2);
    assert.equal(api.world.events.accepted.length, 1);
    const { time, ...event } = bodyOf(api.world.events.accepted[0]) as Record<string, unknown>;
    assert.match(String(time), /Z$/);
    assert.deepEqual(event, {
      version: "0",
      id: entries[0].EventId,
      "detail-type": "order",
      source: "shop",
      account: "123456789012",
      region: "eu-west-1",
      resources: [],
      detail: { id: "o-1", total: 250 },
    });
  });

  test("a target gets its input, the part that its path names, or what its template makes", async (t) => {
    for (const [target, expected] of [
      [{ Input: '{"constant":true}' }, { constant: true }],
      [{ InputPath: "$.detail.id" }, "o-1"],
      [
        {
          InputTransformer: {
            InputPathsMap: { id: "$.detail.id", detail: "$.detail" },
            InputTemplate: '{"order":"<id>","text":"order <id> by <aws.events.rule-name>","all":<detail>}',
          },
        },
        { order: "o-1", text: "order o-1 by large", all: { id: "o-1", total: 250 } },
      ],
      [
        { InputTransformer: { InputPathsMap: { id: "$.detail.id" }, InputTemplate: '"order <id>"' } },
        "order o-1",
      ],
    ] as const) {
      const api = await withRule(t, target);
      await call(api, "PutEvents", { Entries: [ENTRY] });
      assert.deepEqual(bodyOf(api.world.events.accepted[0]), expected);
    }
  });

  test("each entry fails by itself, in AWS's words", async (t) => {
    const api = await withRule(t);
    const { Source: _source, ...sourceless } = ENTRY;
    const { DetailType: _type, ...typeless } = ENTRY;
    const { Detail: _detail, ...detailless } = ENTRY;
    const Entries = [
      sourceless,
      typeless,
      detailless,
      { ...ENTRY, Detail: "[1]" },
      { ...ENTRY, Detail: "{" },
      ENTRY,
    ];
    const { body } = await call(api, "PutEvents", { Entries });
    const answers = body["Entries"];
    assert(Array.isArray(answers));
    assert.equal(body["FailedEntryCount"], 5);
    const required = (name: string) =>
      `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
    assert.deepEqual(answers.slice(0, 5), [
      ...["Source", "DetailType", "Detail"].map((name) => ({
        ErrorCode: "InvalidArgument",
        ErrorMessage: required(name),
      })),
      { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." },
      { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." },
    ]);
    assert.equal(typeof answers[5].EventId, "string");
  });

  test("more than ten entries, more than a megabyte and a full queue are refused", async (t) => {
    const api = await withRule(t);
    const many = await call(api, "PutEvents", { Entries: Array.from({ length: 11 }, () => ENTRY) });
    assert.deepEqual([many.status, many.body["__type"]], [400, "ValidationException"]);
    const large = { ...ENTRY, Detail: JSON.stringify({ text: "x".repeat(1024 * 1024) }) };
    const refused = await call(api, "PutEvents", { Entries: [large] });
    assert.deepEqual(
      [refused.status, refused.body["message"]],
      [400, "Total size of the entries in the request is over the limit."],
    );
    api.world.events.isFull = true;
    const { body } = await call(api, "PutEvents", { Entries: [ENTRY] });
    assert.equal(body["FailedEntryCount"], 1);
  });

  test("a rule is listed, described, disabled and deleted once it has no targets", async (t) => {
    const api = await withRule(t);
    const shown = {
      Name: "large",
      Arn: "arn:aws:events:eu-west-1:123456789012:rule/large",
      EventPattern: PATTERN,
      State: "ENABLED",
      EventBusName: "default",
    };
    assert.deepEqual((await call(api, "ListRules", { NamePrefix: "lar" })).body, { Rules: [shown] });
    const targets = (await call(api, "ListTargetsByRule", { Rule: "large" })).body;
    assert.deepEqual(targets, { Targets: [{ Id: "1", Arn: FUNCTION }] });
    await call(api, "DisableRule", { Name: "large" });
    assert.equal((await call(api, "DescribeRule", { Name: "large" })).body["State"], "DISABLED");
    await call(api, "PutEvents", { Entries: [ENTRY] });
    assert.equal(api.world.events.accepted.length, 0);
    const early = await call(api, "DeleteRule", { Name: "large" });
    assert.deepEqual(
      [early.status, early.body["message"]],
      [400, "Rule can't be deleted since it has targets."],
    );
    await call(api, "RemoveTargets", { Rule: "large", Ids: ["1"] });
    assert.equal((await call(api, "DeleteRule", { Name: "large" })).status, 200);
    const gone = await call(api, "DescribeRule", { Name: "large" });
    assert.deepEqual(
      [gone.status, gone.body],
      [
        404,
        { __type: "ResourceNotFoundException", message: "Rule large does not exist on EventBus default." },
      ],
    );
  });

  test("what a rule cannot be is refused in AWS's words", async (t) => {
    const api = await FunctionApi.start(t);
    for (const [given, message] of [
      [{ ScheduleExpression: "rate(1 minutes)" }, "Parameter ScheduleExpression is not valid."],
      [{ ScheduleExpression: "at(2030-01-01T00:00:00)" }, "Parameter ScheduleExpression is not valid."],
      [
        { ScheduleExpression: "rate(1 minute)", EventBusName: "orders" },
        "ScheduleExpression is supported only on the default event bus.",
      ],
      [{}, "Parameter(s) EventPattern or ScheduleExpression must be specified."],
    ] as const) {
      const { status, body } = await call(api, "PutRule", { Name: "r", ...given });
      assert.deepEqual([status, body["__type"], body["message"]], [400, "ValidationException", message]);
    }
    const pattern = await call(api, "PutRule", { Name: "r", EventPattern: '{"source":"shop"}' });
    assert.deepEqual([pattern.status, pattern.body["__type"]], [400, "InvalidEventPatternException"]);
    await call(api, "PutRule", { Name: "r", ScheduleExpression: "rate(1 minute)" });
    const six = Array.from({ length: 6 }, (_, index) => ({ Id: String(index), Arn: FUNCTION }));
    const { body } = await call(api, "PutTargets", { Rule: "r", Targets: six });
    assert.equal(body["__type"], "LimitExceededException");
  });

  test("a rule with a schedule is due one period after it was made, for each of its targets", async (t) => {
    const api = await FunctionApi.start(t);
    await call(api, "PutRule", { Name: "tick", ScheduleExpression: "rate(1 minute)" });
    const Targets = ["1", "2"].map((Id) => ({ Id, Arn: FUNCTION }));
    await call(api, "PutTargets", { Rule: "tick", Targets });
    await api.world.pass(56_000);
    assert.equal(api.world.events.accepted.length, 0);
    await api.world.pass(8_000);
    assert.equal(api.world.events.accepted.length, 2);
    const { source, resources, detail } = bodyOf(api.world.events.accepted[0]) as Record<string, unknown>;
    assert.deepEqual(
      [source, resources, detail],
      ["aws.events", ["arn:aws:events:eu-west-1:123456789012:rule/tick"], {}],
    );
  });

  test("an operation that is not served is named", async (t) => {
    const api = await FunctionApi.start(t);
    const { status, body } = await call(api, "CreateArchive", {});
    assert.deepEqual(
      [status, body["message"]],
      [501, "millrace does not serve the operation AWSEvents.CreateArchive."],
    );
  });
});
