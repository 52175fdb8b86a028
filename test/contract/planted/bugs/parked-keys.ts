import { type ContractBug, contractBug } from "../contract-bug.ts";

const FILE = "test/contract/sqlite-parked-keys.test.ts";

export const PARKED_KEY_BUGS: readonly ContractBug[] = [
  contractBug(
    "a shard that was taken over still parks",
    { file: FILE, test: "let the newest owner of a shard write, and none before it" },
    {
      at: "a-shard-that-was-taken-over-still-parks",
      instead: '"AND fence >= $3 AND (attempt < $4 OR fence > $3) RETURNING attempt",',
    },
  ),
  contractBug(
    "a put that comes late still takes effect",
    {
      file: FILE,
      test: "change nothing by a put that comes behind a later one of its shard, though its key is gone",
    },
    {
      at: "a-put-that-comes-late-still-takes-effect",
      instead: '"AND fence = $3 AND attempt <> $4 RETURNING attempt",',
    },
  ),
  contractBug(
    "records are put behind a tail that nobody saw",
    { file: FILE, test: "put nothing behind a tail that nobody saw, and say how it is" },
    {
      at: "records-are-put-behind-a-tail-that-nobody-saw",
      instead: 'if (put.tailVersion < 0) return { kind: "stale", key };',
    },
  ),
  contractBug(
    "places of a key that is gone are given again",
    { file: FILE, test: "take nothing of a key that came anew by what was meant for the one before" },
    {
      at: "places-of-a-key-that-is-gone-are-given-again",
      instead: "const before = was === undefined ? 0 : shelf.lastSeq;",
    },
  ),
  contractBug(
    "a key that drains is closed with its entries",
    { file: FILE, test: "close no key behind which a record was put meanwhile" },
    {
      at: "a-key-that-drains-is-closed-with-its-entries",
      instead: 'return state.kind === "draining" ? undefined : left;',
    },
  ),
  contractBug(
    "what is discarded ends at whatever was removed",
    { file: FILE, test: "go on as was said once what is discarded is over" },
    {
      at: "what-is-discarded-ends-at-whatever-was-removed",
      instead: "return keyMoved(left, { kind: state.next });",
    },
  ),
  contractBug(
    "what is parked may be larger than its bounds",
    { file: FILE, test: "hold no more records than they may, over all keys" },
    {
      at: "what-is-parked-may-be-larger-than-its-bounds",
      instead: "return totals.keys <= keysMax && bytesMax > 0 && recordsMax > 0;",
    },
  ),
  contractBug(
    "the guard of parking never opens again",
    {
      file: "test/unit/engine/stream/parked-keys.test.ts",
      test: "three keys are parked without a success between them, and any number with",
    },
    { at: "the-guard-of-parking-never-opens-again", instead: "" },
  ),
];
