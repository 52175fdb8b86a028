import type { ParkingBounds } from "../../../src/model/parked-key.ts";
import type { NewParkedKey, ParkedKeyStore, ParkedPut, PutAnswer } from "../../../src/ports/parked-keys.ts";
import { SimPayload } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { type StoreOptions, sendToStore } from "./store.ts";

/** Room for whatever a scenario has. */
const ROOM: ParkingBounds = { keysMax: 1e6, recordsMax: 1e6, bytesMax: 1e12 };

/** Those of the scenario until the world heals: then somebody makes room. */
export function boundsUntilHealed(planned: ParkingBounds, faults: FaultDesk): ParkingBounds {
  const bounds = () => (faults.isHealed ? ROOM : planned);
  return {
    get keysMax() {
      return bounds().keysMax;
    },
    get recordsMax() {
      return bounds().recordsMax;
    },
    get bytesMax() {
      return bounds().bytesMax;
    },
  };
}

/** One process's handle on the parked keys that all share: its calls fail as those to any other part of the store. */
export function createSimParkedKeys(options: StoreOptions, inner: ParkedKeyStore): ParkedKeyStore {
  const send = <T>(serve: () => Promise<T>): Promise<T> =>
    sendToStore<unknown>(options, serve, undefined) as Promise<T>;
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || name === "close") return member;
      return (...values: readonly unknown[]) =>
        send(async () => {
          const answering: Promise<unknown> = Reflect.apply(member, target, values);
          const answer = await answering;
          if (name === "create") noteCreate(options, values, answer as PutAnswer | "fenced");
          if (name === "append") noteAppend(options, values, answer as readonly PutAnswer[] | "fenced");
          return answer;
        });
    },
  });
}

function noteCreate(options: StoreOptions, values: readonly unknown[], answer: PutAnswer | "fenced"): void {
  if (answer === "fenced" || answer.kind !== "parked") return;
  noteSecured(options, values, values[1] as NewParkedKey, true);
}

function noteAppend(
  options: StoreOptions,
  values: readonly unknown[],
  answers: readonly PutAnswer[] | "fenced",
): void {
  if (answers === "fenced") return;
  for (const [index, put] of (values[1] as readonly ParkedPut[]).entries())
    if (answers[index]?.kind === "parked") noteSecured(options, values, put, false);
}

/** At the moment of its taking effect. */
function noteSecured(
  { histories, process, time }: StoreOptions,
  values: readonly unknown[],
  { key, entries }: NewParkedKey | ParkedPut,
  isNew: boolean,
): void {
  const { mapping } = values[0] as { readonly mapping: string };
  const records = entries.flatMap(({ element }) => (element instanceof SimPayload ? element.records : []));
  histories.get(mapping)?.events.push({ kind: "secured", at: time.now, process, key, records, isNew });
}
