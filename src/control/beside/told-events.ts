import type { DeliveryStanding, EventsStanding } from "../../engine/create-engine.ts";
import type { FunctionResource } from "../../manifests/resources.ts";
import { type Reason, reason } from "../../model/reason.ts";
import type { ListedAsyncItem } from "../../ports/async-queue.ts";
import { duration } from "../cause-text.ts";
import type { EventFigures } from "../process-snapshot.ts";
import { type ToldReason, toldReason } from "../told-parts.ts";
import type { WholeView } from "../whole-view.ts";

/** How the asynchronous events of one function stand, over all processes of the store. */
export interface ToldEvents {
  readonly function: string;
  /** In the queue, handed out or not, as counted within the last five seconds. */
  readonly items: number;
  readonly bytes: number;
  readonly oldestMs: number;
  /** Running, or about to, in this process. */
  readonly held: number;
  /** How many of those that were looked at wait for another try, and how often one was tried at most. */
  readonly retried: number;
  readonly attempts: number;
  /** Since the processes began that live. */
  readonly received: number;
  readonly givenUp: number;
  readonly deliveries: readonly DeliveryStanding[];
  readonly reasons: readonly ToldReason[];
}

export interface EventsSeen {
  readonly name: string;
  /** `undefined`: nobody declares it. */
  readonly resource: FunctionResource | undefined;
  readonly standing: EventsStanding;
  /** Those that were put first. */
  readonly items: readonly ListedAsyncItem[];
  /** Those of all functions. */
  readonly deliveries: readonly DeliveryStanding[];
  readonly isFull: boolean;
  readonly mayInspect: boolean;
}

/** Items that are looked at to say what events wait for. */
export const SEEN_ITEMS = 100;
/** Waiting for less is no wait: a look at the queue comes four times a second. */
const WAIT_MS = 10_000;

export function toldEvents(seen: EventsSeen, whole: WholeView): ToldEvents {
  const { name, standing, items } = seen;
  const { items: waiting, bytes, oldestMs, held } = standing;
  const tried = items.filter(({ state }) => triesOf(state) > 0);
  const figures = figuresOf(name, whole);
  const deliveries = deliveriesOf(seen);
  return {
    function: name,
    ...{ items: waiting, bytes, oldestMs, held },
    retried: tried.length,
    attempts: Math.max(0, ...tried.map(({ state }) => triesOf(state))),
    received: sumOf(figures, ({ received }) => received),
    givenUp: sumOf(figures, ({ givenUp }) => givenUp),
    deliveries,
    reasons: [...eventReasons(seen), ...deliveries.flatMap(deliveryReasons)].map(toldReason),
  };
}

function triesOf(state: ListedAsyncItem["state"]): number {
  return state === undefined ? 0 : state.functionErrors + state.throttles;
}

function figuresOf(name: string, { processes }: WholeView): readonly EventFigures[] {
  const living = processes.filter(({ standing }) => standing === "lives");
  return living.flatMap(({ snapshot }) => (snapshot.events ?? []).filter(({ fn }) => fn === name));
}

function sumOf(figures: readonly EventFigures[], count: (each: EventFigures) => number): number {
  return figures.reduce((sum, each) => sum + count(each), 0);
}

function eventReasons({
  resource,
  standing,
  items,
  isFull,
  mayInspect,
  name,
}: EventsSeen): readonly Reason[] {
  const { items: events, oldestMs, room, held } = standing;
  const isShut = resource?.isReserved === true && resource.concurrency === 0;
  if (isShut) return [reason("eventsShut", { facts: { events } })];
  if (events === 0 && items.length === 0) return [];
  if (resource === undefined) return [reason("noSuchFunction", { facts: { events, problem: name } })];
  const waiting = items.filter(({ isHeld }) => !isHeld);
  const failing = waiting.filter(({ state }) => (state?.functionErrors ?? 0) > 0);
  const heldBack = waiting.filter(({ state }) => (state?.throttles ?? 0) > 0);
  const late = waiting.filter(({ dueInMs, ageMs }) => dueInMs === 0 && ageMs >= WAIT_MS);
  const seconds = Math.round(oldestMs / 1_000);
  const [limit, running] = [resource.concurrency, Math.max(0, resource.concurrency - room, held)];
  return [
    ...(isFull ? [reason("eventsFull", { facts: { events } })] : []),
    ...(failing.length === 0 ? [] : [triedReason("eventsFail", failing, mayInspect)]),
    ...(heldBack.length === 0 ? [] : [triedReason("eventsHeldBack", heldBack, true)]),
    ...(late.length === 0
      ? []
      : [
          reason("eventsWait", { facts: { events: Math.max(events, late.length), seconds, limit, running } }),
        ]),
  ];
}

/** What a function has said is for those who may see it; what kept an event from it is ours. */
function triedReason(
  code: "eventsFail" | "eventsHeldBack",
  tried: readonly ListedAsyncItem[],
  showsText: boolean,
): Reason {
  const last = tried.find(({ state }) => state?.last?.message !== undefined)?.state?.last;
  const attempts = Math.max(...tried.map(({ state }) => triesOf(state)));
  const said = showsText && last?.message !== undefined ? { problem: last.message } : {};
  return reason(code, { facts: { events: tried.length, attempts, ...said } });
}

/** Those that the function, or any of its versions and aliases, names. */
function deliveriesOf({ resource, deliveries }: EventsSeen): readonly DeliveryStanding[] {
  const named = new Set<string | undefined>([
    ...[...(resource?.invokeConfigs?.values() ?? [])].flatMap(({ onSuccess, onFailure }) => [
      onSuccess,
      onFailure,
    ]),
    ...(resource?.deadLetters?.values() ?? []),
  ]);
  return deliveries.filter(({ destination }) => named.has(destination));
}

export function deliveryReasons({
  destination,
  items,
  oldestMs,
  problem,
}: DeliveryStanding): readonly Reason[] {
  if (problem === undefined && oldestMs < WAIT_MS) return [];
  const facts = { destination, records: items, ...(problem === undefined ? {} : { problem }) };
  return [reason("deliveryWaits", { facts })];
}

export function eventLines({
  items,
  bytes,
  oldestMs,
  held,
  retried,
  attempts,
  received,
  givenUp,
  ...told
}: ToldEvents) {
  const tried = retried === 0 ? "" : `, ${retried} of them tried up to ${attempts} times`;
  const waiting =
    items === 0
      ? "events: none wait"
      : `events: ${items} in the queue (${bytes} bytes, the oldest for ${duration(oldestMs)}), ${held} in hand here${tried}`;
  return [
    waiting,
    ...(received + givenUp === 0
      ? []
      : [`since these processes began: ${received} received, ${givenUp} given up`]),
    ...told.deliveries.map(
      ({ destination, items: records, oldestMs: ageMs }) =>
        `${records} ${records === 1 ? "record waits" : "records wait"} for ${destination}, the oldest for ${duration(ageMs)}`,
    ),
  ];
}

/** As `explain` tells of any part. */
export function reasonLines(reasons: readonly ToldReason[]): readonly string[] {
  return reasons.flatMap(({ says, remedy, runbook }) => [
    `because  ${says}`,
    `do       ${remedy} · ${runbook}`,
  ]);
}
