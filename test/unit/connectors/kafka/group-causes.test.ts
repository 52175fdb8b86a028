import assert from "node:assert/strict";
import { test } from "node:test";
import { type FaultReason, KafkaFault } from "../../../../connectors/kafka/fault.ts";
import { GroupFault } from "../../../../connectors/kafka/group-api.ts";
import { GroupProgress } from "../../../../connectors/kafka/group-progress.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import { ManualClock } from "../../engine/stream/small-world.ts";
import { TestCoordinator } from "./test-coordinator.ts";

const ADVERTISED = new KafkaFault(
  "unreachable",
  "connecting at the broker 10.0.0.9:9092 failed: ECONNREFUSED. Look at the brokers' advertised.listeners.",
);
const MISSING = new KafkaFault("notFound", 'The Kafka cluster at b:9092 has no topic "orders".');

function progressOf(clock: ManualClock, joins: () => GroupFault | undefined): GroupProgress {
  const api = new TestCoordinator(clock, "orders", 2).api(() => "fine");
  return new GroupProgress({
    api: {
      ...api,
      join: async (request, signal) => {
        const fault = joins();
        if (fault !== undefined) throw fault;
        return await api.join(request, signal);
      },
      sync: (...args) => api.sync(...args),
      heartbeat: (...args) => api.heartbeat(...args),
      leave: (...args) => api.leave(...args),
      commit: (...args) => api.commit(...args),
      committed: (...args) => api.committed(...args),
      partitionCounts: (...args) => api.partitionCounts(...args),
    },
    ...{ groupId: "g", topic: "orders", clock },
    offsetOf: async () => 0,
    random: { next: () => 0.5, uuid: () => "" },
  });
}

test("a coordinator whose advertised address nobody answers at is told at once with its cause, and joined once it answers", async () => {
  const clock = new ManualClock();
  let fault: GroupFault | undefined = new GroupFault("unavailable", ADVERTISED.message, {
    cause: ADVERTISED,
  });
  const progress = progressOf(clock, () => fault);
  const first = assert.rejects(
    progress.list("u"),
    /10\.0\.0\.9:9092 failed: ECONNREFUSED.*advertised\.listeners/,
  );
  await clock.advance(10);
  await first;
  fault = undefined;
  await clock.advance(10_000);
  let rows: number | undefined;
  void progress.list("u").then((list) => {
    rows = list.length;
  });
  await clock.advance(10_000);
  assert.equal(rows, 0);
});

const KNOWN: readonly FaultReason[] = [
  ...(["unreachable", "timeout", "tls", "authentication", "authorization"] as const),
  ...(["notFound", "unsupported", "corrupt", "tooLarge"] as const),
];

for (const reason of KNOWN) {
  test(`a coordinator that cannot be joined for "${reason}" is told at once`, async () => {
    const cause = new KafkaFault(reason, "a web server answers at 10.0.0.9:9092");
    const fault = new GroupFault("unavailable", cause.message, { cause });
    const clock = new ManualClock();
    const progress = progressOf(clock, () => fault);
    const told = assert.rejects(progress.list("u"), /a web server answers at 10\.0\.0\.9:9092/);
    await clock.advance(10);
    await told;
  });
}

test("a topic that is not there is told as that, and not as a store that does not answer", async () => {
  const clock = new ManualClock();
  const fault = new GroupFault("unavailable", MISSING.message, { cause: MISSING });
  const progress = progressOf(clock, () => fault);
  const told = assert.rejects(progress.list("u"), (error: unknown) => {
    return hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND") && error.message === MISSING.message;
  });
  await clock.advance(10);
  await told;
});

test("a group that only lets nobody in yet is waited for", async () => {
  const clock = new ManualClock();
  const cause = new KafkaFault("protocol", "COORDINATOR_LOAD_IN_PROGRESS");
  const progress = progressOf(clock, () => new GroupFault("unavailable", "the coordinator loads", { cause }));
  let isOver = false;
  const told = assert.rejects(progress.list("u"), /the coordinator loads/).then(() => {
    isOver = true;
  });
  await clock.advance(29_000);
  assert.equal(isOver, false);
  await clock.advance(2_000);
  await told;
});
