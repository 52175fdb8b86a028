import { DeadLetterFeed } from "../../../src/failures/dead-letter-feed.ts";
import { keyHashOf, rowIdOf } from "../../../src/failures/failure-names.ts";
import type { EndedState, RedriveItem } from "../../../src/model/redrive.ts";
import type { ParkingStore } from "../../../src/ports/parking-store.ts";
import type { RedriveFeed, ToldEnd } from "../../../src/ports/redrives.ts";
import { SimLetters } from "../../unit/failures/sim-letters.ts";
import type { FaultyWay } from "../control/faulty-way.ts";
import type { ProcessClock } from "../control/process-clock.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { throughWay } from "./faulty-port.ts";
import { SimFeed } from "./redrive-feed.ts";
import { itemsOf } from "./redrive-items.ts";

/** What the catalogue was told, by whichever process. */
export class FeedLog {
  readonly told = new Map<string, EndedState>();
  readonly left = new Set<string>();
  finishes = 0;
  readonly #rules: FeedRules;

  constructor(rules: FeedRules) {
    this.#rules = rules;
  }

  async hear(redriveId: string, { item, state }: ToldEnd): Promise<void> {
    // What is uncertain may have been wanted once more meanwhile.
    if (state !== "uncertain" && !(await this.#rules.isDurable(redriveId, item.id, state)))
      this.#rules.violated(
        `R1: the catalogue hears that ${item.id} is ${state}, and the store does not have it`,
      );
    this.told.set(item.id, state);
  }
}

interface FeedRules {
  isDurable(redriveId: string, itemId: string, state: EndedState): Promise<boolean>;
  violated(what: string): void;
}

/** What redrives are fed with, and what of it is wrong in the end. */
export interface FedWorld {
  readonly items: readonly RedriveItem[];
  readonly log: FeedLog;
  /** As a process has it. */
  feedOf(way: FaultyWay, clock: ProcessClock): RedriveFeed;
  /** The item that an element of an event is. */
  itemOf(element: unknown): RedriveItem | undefined;
  wrongs(): readonly string[];
}

export type FedSource = "rows" | "letters";

export function fedWorldOf(
  source: FedSource,
  random: SeededRandom,
  time: VirtualTime,
  store: Pick<ParkingStore, "items">,
  violated: (what: string) => void,
): FedWorld {
  const rules: FeedRules = {
    async isDurable(redriveId, itemId, state) {
      const ended = await store.items(redriveId, state, 0, 10_000);
      return ended.some(({ id }) => id === itemId);
    },
    violated,
  };
  return source === "letters" ? fedByLetters(random, rules, time) : fedByRows(random, rules);
}

/** Rows of the list, whose events stay where they are. */
function fedByRows(random: SeededRandom, rules: FeedRules): FedWorld {
  const items = itemsOf(random.fork("items"));
  const log = new FeedLog(rules);
  const feed = recorded(new SimFeed(items, random.fork("feed")), log);
  const byId = new Map(items.map((item) => [item.id, item]));
  return {
    items,
    log,
    feedOf: (way) => ({
      window: (redrive, cursor, bounds) => way.call(() => feed.window(redrive, cursor, bounds)),
      // It has nothing to do there.
      loaded: (redrive, cursor) => feed.loaded(redrive, cursor),
      ended: (redrive, ends) => way.call(() => feed.ended(redrive, ends)),
      finished: (redrive, counts, left) => feed.finished(redrive, counts, left),
    }),
    itemOf: (element) => byId.get(String(element)),
    wrongs: () => [],
  };
}

/** Dead letters of a queue, which are moved: each is in the queue or in the store, and in the end where it belongs. */
function fedByLetters(random: SeededRandom, rules: FeedRules, time: VirtualTime): FedWorld {
  const letters = new SimLetters({ nowMs: () => time.now, handedOutMax: random.int(2, 12) });
  const itemsMax = random.int(1, 12);
  const { name } = letters.open();
  const planned = itemsOf(random.fork("items"));
  letters.fill(planned.map(({ id, key }) => ({ group: key, body: id })));
  const items = planned.map(({ key, id }, at): RedriveItem => {
    const itemId = `m${at + 1}`;
    const failureId = rowIdOf(`${name}/${itemId}`);
    const element = Buffer.from(JSON.stringify({ group: key, body: id }));
    const rest = { shardId: "", position: itemId, arrivalMs: 0, element };
    return { ...rest, id: `${failureId}#0`, failureId, itemId, key: keyHashOf(key) };
  });
  const byBody = new Map(planned.map(({ id }, at) => [id, items[at]]));
  const log = new FeedLog(rules);
  return {
    items,
    log,
    feedOf: (way, clock) => {
      const own = throughWay(letters.open(), way);
      const feed = recorded(new DeadLetterFeed({ clock, lettersOf: async () => own }), log);
      // A process may die when it has them, and before anybody else does.
      const window: RedriveFeed["window"] = (redrive, cursor, bounds) =>
        way.call(() => feed.window(redrive, cursor, { ...bounds, itemsMax }));
      return { ...feed, window };
    },
    itemOf: (element) => byBody.get((element as { readonly body: string }).body),
    wrongs: () => wrongLetters(letters, planned, items, log),
  };
}

/** A letter is a dead letter again if it failed or was not handed over, and else none. */
function wrongLetters(
  letters: SimLetters,
  planned: readonly RedriveItem[],
  items: readonly RedriveItem[],
  { told, left }: FeedLog,
): readonly string[] {
  return planned.flatMap(({ id }, at) => {
    const item = items[at]?.id ?? "";
    const isDead = told.get(item) === "failed" || left.has(item);
    const there = letters.bodies.filter((body) => body === id).length;
    return there === (isDead ? 1 : 0) ? [] : [`R1: the letter ${id} is ${there} times in its queue`];
  });
}

function recorded(feed: RedriveFeed, log: FeedLog): RedriveFeed {
  return {
    window: (redrive, cursor, bounds) => feed.window(redrive, cursor, bounds),
    loaded: (redrive, cursor) => feed.loaded(redrive, cursor),
    async ended(redrive, ends) {
      await feed.ended(redrive, ends);
      for (const end of ends) await log.hear(redrive.id, end);
    },
    async finished(redrive, counts, left) {
      await feed.finished(redrive, counts, noted(left, log));
      log.finishes += 1;
    },
  };
}

async function* noted(
  left: AsyncIterable<readonly RedriveItem[]>,
  log: FeedLog,
): AsyncGenerator<readonly RedriveItem[]> {
  for await (const items of left) {
    for (const { id } of items) log.left.add(id);
    yield items;
  }
}
