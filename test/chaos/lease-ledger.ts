import type { Client } from "pg";
import { parsePosition } from "../../connectors/local/position.ts";
import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { readCheckpoint } from "../../src/stores/checkpoint-json.ts";
import type { LeaseChange } from "./evidence.ts";

interface LedgerRow {
  readonly shard_id: string;
  readonly epoch: string;
  readonly owner: string | null;
  readonly checkpoint: string | null;
  readonly is_sign_of_life: boolean;
  readonly at_ms: string;
}

/**
 * Has PostgreSQL itself note every change of a lease, renewals too, and of a checkpoint, in the transaction that makes
 * it: the ledger that the function's calls are held against. `at_ms` is read before the change is seen by anybody.
 */
export async function keepLeaseLedger(client: Client): Promise<void> {
  await client.query(`
    CREATE TABLE chaos_ledger (
      id bigserial PRIMARY KEY, shard_id text, epoch bigint, owner text, checkpoint text, is_sign_of_life boolean,
      at_ms double precision
    );
    CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO chaos_ledger (shard_id, epoch, owner, checkpoint, is_sign_of_life, at_ms) VALUES (
        NEW.shard_id, NEW.epoch, NEW.owner,
        CASE WHEN OLD.checkpoint IS DISTINCT FROM NEW.checkpoint THEN NEW.checkpoint END,
        OLD.counter IS DISTINCT FROM NEW.counter,
        extract(epoch FROM clock_timestamp()) * 1000
      );
      RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_note AFTER UPDATE ON millrace.progress FOR EACH ROW
      WHEN ((OLD.owner, OLD.epoch, OLD.counter, OLD.checkpoint)
        IS DISTINCT FROM (NEW.owner, NEW.epoch, NEW.counter, NEW.checkpoint))
      EXECUTE FUNCTION chaos_note();`);
}

export interface LeaseLedger {
  readonly leases: readonly LeaseChange[];
  /** Checkpoints that were set back, in sentences (I4). */
  readonly setBack: readonly string[];
  readonly checkpoints: number;
}

/**
 * `lifeOf` knows the process of an owner. Rows of one shard are in the order of their changes, since these lock the
 * row.
 */
export async function readLeaseLedger(
  client: Client,
  lifeOf: (owner: string) => number,
): Promise<LeaseLedger> {
  const { rows } = await client.query<LedgerRow>("SELECT * FROM chaos_ledger ORDER BY id");
  const leases: LeaseChange[] = [];
  const setBack: string[] = [];
  const newest = new Map<string, Checkpoint>();
  let checkpoints = 0;
  for (const { shard_id: shardId, epoch, owner, checkpoint: text, is_sign_of_life, at_ms } of rows) {
    const before = newest.get(shardId);
    const checkpoint = text === null ? before : readCheckpoint(text);
    const life = owner === null ? undefined : lifeOf(owner);
    const isSettled = (position: string) => checkpoint !== undefined && hasSettled(checkpoint, position);
    leases.push({
      shardId,
      epoch: Number(epoch),
      life,
      atMs: Number(at_ms),
      isSignOfLife: is_sign_of_life,
      isSettled,
    });
    if (text === null || checkpoint === undefined) continue;
    checkpoints++;
    if (placeOf(checkpoint) < placeOf(before))
      setBack.push(`${shardId} from ${placeOf(before)} to ${placeOf(checkpoint)} in epoch ${epoch}`);
    newest.set(shardId, checkpoint);
  }
  return { leases, setBack, checkpoints };
}

function placeOf(checkpoint: Checkpoint | undefined): number {
  return checkpoint?.resume.kind === "after" ? parsePosition(checkpoint.resume.position) : -1;
}

function hasSettled(checkpoint: Checkpoint, position: string): boolean {
  const place = parsePosition(position);
  if (place <= placeOf(checkpoint)) return true;
  return checkpoint.settledRanges.some(
    ({ from, to }) => parsePosition(from) <= place && place <= parsePosition(to),
  );
}
