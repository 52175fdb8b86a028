import { MillraceError } from "../../src/model/errors.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import type { MongoCluster } from "./cluster.ts";
import { createChangeEvents } from "./event.ts";
import { throwIfAborted } from "./fault.ts";
import { comparePositions, parsePosition } from "./position.ts";
import { ChangeReader } from "./reader.ts";
import { KIND, type MongoSettings } from "./settings.ts";
import { isKept, placeOf } from "./start-place.ts";

/** The change stream of a collection or of a database: one shard, which never ends. The cluster is closed with it. */
export function createChangeSource(settings: MongoSettings, cluster: MongoCluster): StreamSource {
  const { eventSourceArn, historyLost } = settings;
  const { namespace } = cluster;
  let isThere = false;
  const check = (shardId: string, signal: AbortSignal) => {
    throwIfAborted(signal);
    if (shardId !== namespace) throw isUnknown(shardId, namespace);
  };
  return {
    description: {
      kind: KIND,
      eventSourceArn,
      sourceName: namespace,
      batchInfoName: "DDBStreamBatchInfo",
      arrivalPrecision: "seconds",
      oversizedRecord: "givenUp",
      batchingWindowFrom: "firstRecord",
    },
    events: createChangeEvents(eventSourceArn),
    async listShards(signal) {
      throwIfAborted(signal);
      // A database that is dropped later may be made again: its stream goes on.
      if (!isThere) await cluster.checkDatabase(signal);
      isThere = true;
      return [{ shardId: namespace, parentShardIds: [], closed: false, logId: namespace }];
    },
    async captureLatest(shardId, signal) {
      check(shardId, signal);
      return { kind: "after", position: await cluster.latestPosition(signal) };
    },
    async openReader(shardId, start, signal, knownLogId) {
      check(shardId, signal);
      const place = await placeOf(cluster, start, signal);
      return new ChangeReader({ cluster, place, historyLost, logId: namespace, knownLogId });
    },
    async stillServes(shardId, position, signal, logId) {
      check(shardId, signal);
      if (logId !== undefined && logId !== namespace) return false;
      return await isKept(cluster, parsePosition(position), signal);
    },
    comparePositions,
    close: () => cluster.close(),
  };
}

function isUnknown(shardId: string, namespace: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_NOT_FOUND",
    `"${shardId.slice(0, 200)}" is no shard of this change stream: its only one is "${namespace}".`,
  );
}
