import { Agent, request } from "undici";
import { createRandom } from "../chaos-plan.ts";
import { EventFleet, type Member } from "./event-fleet.ts";
import { EventWitness, FAILS_EVERY } from "./witness.ts";

export interface EventChaosOptions {
  readonly processes: number;
  readonly events: number;
  readonly disturbances: number;
  readonly everyMs: number;
  readonly seed: number;
  /** Of a server that each process reaches by a proxy; `undefined`: the store is a file. */
  readonly serverPort: number | undefined;
  /** `port`: where a process is to look for the server. */
  storeOf(port: number | undefined, folder: string): string;
  /** Nobody holds anything any more: holds end now. */
  endHolds(folder: string): Promise<void>;
  /** Items that the queue has. */
  left(folder: string): Promise<number>;
}

export interface EventChaosReport {
  readonly accepted: number;
  readonly refused: number;
  /** What was accepted and did not run, or ran and was never told, or was told twice in different ways. */
  readonly lost: readonly string[];
  readonly ranAgain: number;
  readonly toldAgain: number;
  readonly attemptsMax: number;
  readonly done: Readonly<Record<"kill" | "pause" | "cut", number>>;
  readonly tookMs: number;
}

const CALLERS = 8;
const CALL_MS_MAX = 10_000;
const QUIET_MS_MAX = 600_000;
const STOOD_MS_MAX = 6_000;

/** Events are handed to processes that are killed, paused and cut off; whatever was accepted is to be told. */
export async function runEventChaos(options: EventChaosOptions): Promise<EventChaosReport> {
  const random = createRandom(options.seed);
  const witness = await EventWitness.start();
  let folder = "";
  const fleet = new EventFleet(witness.url, options.serverPort, (port) => options.storeOf(port, folder));
  folder = fleet.folder;
  const beganMs = performance.now();
  const accepted = new Map<string, number>();
  const done = { kill: 0, pause: 0, cut: 0 };
  try {
    for (let count = 0; count < options.processes; count++) await fleet.start();
    const areUp = () => {
      if (fleet.members.length < options.processes) throw new Error(`one has ended: ${fleet.lastWords}`);
      return fleet.apis.length === options.processes;
    };
    await waitFor(areUp, () => `not started: ${fleet.members[0]?.stderr}`);
    const source = { next: 1, refused: 0 };
    const callers = Array.from({ length: CALLERS }, () => call(fleet, options.events, source, accepted));
    for (let count = 0; count < options.disturbances; count++) {
      await sleep(options.everyMs);
      await disturb(fleet, options, random, done);
    }
    await Promise.all(callers);
    await fleet.killAll();
    await options.endHolds(folder);
    for (let count = 0; count < Math.min(2, options.processes); count++) await fleet.start();
    const isOver = async () => (await options.left(folder)) === 0;
    await waitFor(isOver, () => `events are left: ${fleet.members[0]?.stderr.slice(-2_000)}`);
    const told = judge(accepted, witness);
    return {
      ...told,
      accepted: accepted.size,
      refused: source.refused,
      done,
      tookMs: performance.now() - beganMs,
    };
  } finally {
    await fleet.close();
    witness.close();
  }
}

/** Until as many were accepted as are wanted; what was not answered with 202 is nobody's. */
async function call(
  fleet: EventFleet,
  wanted: number,
  source: { next: number; refused: number },
  accepted: Map<string, number>,
): Promise<void> {
  const dispatcher = new Agent({ bodyTimeout: CALL_MS_MAX, headersTimeout: CALL_MS_MAX });
  while (accepted.size < wanted) {
    const n = source.next++;
    const api = fleet.apis[n % Math.max(1, fleet.apis.length)];
    try {
      if (api === undefined) throw new Error("nobody has started");
      const url = `${api}/2015-03-31/functions/orders/invocations`;
      const headers = { "x-amz-invocation-type": "Event" };
      const body = JSON.stringify({ n });
      const answer = await request(url, { method: "POST", headers, body, dispatcher });
      await answer.body.dump();
      if (answer.statusCode !== 202) throw new Error(`status ${answer.statusCode}`);
      accepted.set(String(answer.headers["x-amzn-requestid"]), n);
    } catch {
      source.refused++;
      await sleep(50);
    }
  }
  await dispatcher.close();
}

async function disturb(
  fleet: EventFleet,
  { serverPort, processes }: EventChaosOptions,
  random: () => number,
  done: Record<"kill" | "pause" | "cut", number>,
): Promise<void> {
  const victim = fleet.members[Math.floor(random() * fleet.members.length)];
  if (victim === undefined) return;
  const chance = random();
  if (serverPort === undefined || chance < 0.6) {
    done.kill++;
    await fleet.kill(victim);
    while (fleet.members.length < processes) await fleet.start();
    return;
  }
  const forMs = 500 + random() * STOOD_MS_MAX;
  if (chance < 0.8) {
    done.pause++;
    victim.child.kill("SIGSTOP");
    setTimeout(() => victim.child.kill("SIGCONT"), forMs);
    return;
  }
  done.cut++;
  cut(victim, random() < 0.5, forMs);
}

function cut({ proxy }: Member, isReset: boolean, forMs: number): void {
  if (isReset) proxy?.reset();
  else proxy?.hang();
  setTimeout(() => proxy?.goOn(), forMs);
}

function judge(accepted: ReadonlyMap<string, number>, witness: EventWitness) {
  const { runs, records, failures, answered } = witness;
  const lost: string[] = [];
  let [ranAgain, toldAgain, attemptsMax] = [0, 0, 0];
  for (const [id, n] of accepted) {
    const attempts = runs.get(n) ?? 0;
    const [good, bad] = [records.get(`${id}/success`) ?? 0, records.get(`${id}/failure`) ?? 0];
    const [meant, other] = n % FAILS_EVERY === 0 ? [bad, good] : [good, bad];
    if (attempts === 0) lost.push(`${id} (${n}) was accepted, and never ran`);
    else if (meant === 0) lost.push(`${id} (${n}) ran ${attempts} times, and is never told`);
    if (other > 0)
      lost.push(
        `${id} (${n}) is told as what it is not; answered at ${answered.get(n)}, told: ${failures.get(`${id}/failure`)}`,
      );
    if (attempts > 1) ranAgain++;
    if (meant > 1) toldAgain++;
    attemptsMax = Math.max(attemptsMax, attempts);
  }
  return { lost, ranAgain, toldAgain, attemptsMax };
}

async function waitFor(isTrue: () => boolean | Promise<boolean>, describe: () => string): Promise<void> {
  const beganMs = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - beganMs > QUIET_MS_MAX) throw new Error(describe());
    await sleep(100);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
