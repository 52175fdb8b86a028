import type { EmbeddedShard, EmbeddedStream } from "../ports/embedded-sources.ts";
import { violated } from "./constraint.ts";
import { ProducerFault } from "./producer-fault.ts";
import type { WireMembers } from "./wire-members.ts";

const PAGE_MAX = 10_000;
const PAGE_DEFAULT = 1_000;

/** ListShards. A page goes on by the token of the one before, which says stream and place. */
export async function listShards(
  members: WireMembers,
  streamNamed: (name: string) => Promise<EmbeddedStream>,
  nameOf: (members: WireMembers) => string,
): Promise<object> {
  const most = members.integer("MaxResults") ?? PAGE_DEFAULT;
  if (most < 1 || most > PAGE_MAX) {
    const bound = most < 1 ? "greater than or equal to 1" : `less than or equal to ${PAGE_MAX}`;
    throw violated(most, "maxResults", `Member must have value ${bound}`);
  }
  const token = members.text("NextToken");
  const named = ["StreamName", "StreamARN"].some((name) => members.text(name) !== undefined);
  if (token !== undefined && named)
    throw new ProducerFault(
      "InvalidArgumentException",
      "NextToken and StreamName cannot be provided together.",
    );
  const at = token === undefined ? begin(members, nameOf(members)) : readToken(token);
  const { shards } = await streamNamed(at.stream);
  const left = shards
    .filter(({ closed }) => !at.isOpenOnly || !closed)
    .filter(({ shardId }) => at.after === undefined || shardId > at.after);
  const page = left.slice(0, most);
  const last = page.at(-1)?.shardId;
  const isMore = left.length > page.length && last !== undefined;
  return {
    Shards: page.map(wireShard),
    ...(isMore ? { NextToken: writeToken({ ...at, after: last }) } : {}),
  };
}

interface PagePlace {
  readonly stream: string;
  readonly after: string | undefined;
  readonly isOpenOnly: boolean;
}

function begin(members: WireMembers, stream: string): PagePlace {
  const filter = members.object("ShardFilter");
  const type = filter?.text("Type");
  const exclusive = members.text("ExclusiveStartShardId");
  switch (type) {
    case undefined:
      return { stream, after: exclusive, isOpenOnly: false };
    case "AT_LATEST":
      return { stream, after: exclusive, isOpenOnly: true };
    case "AT_TRIM_HORIZON":
    case "FROM_TRIM_HORIZON":
      return { stream, after: exclusive, isOpenOnly: false };
    case "AFTER_SHARD_ID":
      return { stream, after: filter?.text("ShardId"), isOpenOnly: false };
    default: {
      const message = `millrace does not list shards by the filter ${type.slice(0, 60)}. Use AT_LATEST, AT_TRIM_HORIZON, FROM_TRIM_HORIZON or AFTER_SHARD_ID.`;
      throw new ProducerFault("InvalidArgumentException", message);
    }
  }
}

function writeToken({ stream, after, isOpenOnly }: PagePlace): string {
  return Buffer.from(JSON.stringify([stream, after ?? null, isOpenOnly])).toString("base64url");
}

function readToken(token: string): PagePlace {
  try {
    const [stream, after, isOpenOnly]: readonly unknown[] = JSON.parse(
      Buffer.from(token, "base64url").toString(),
    );
    if (typeof stream === "string" && (after === null || typeof after === "string"))
      return { stream, after: after ?? undefined, isOpenOnly: isOpenOnly === true };
  } catch {
    // It is none of ours.
  }
  throw new ProducerFault("ExpiredNextTokenException", "The NextToken is not one of this server's.");
}

export function wireShard({
  shardId,
  parentShardIds,
  hashKeyRange,
  endSequenceNumber,
}: EmbeddedShard): object {
  const [parent, adjacent] = parentShardIds;
  return {
    ShardId: shardId,
    ...(parent === undefined ? {} : { ParentShardId: parent }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: adjacent }),
    HashKeyRange: {
      StartingHashKey: hashKeyRange.startingHashKey,
      EndingHashKey: hashKeyRange.endingHashKey,
    },
    SequenceNumberRange: {
      // Below all that it can hold.
      StartingSequenceNumber: "0",
      ...(endSequenceNumber === undefined ? {} : { EndingSequenceNumber: endSequenceNumber }),
    },
  };
}
