import type { ParkingStore } from "../../../src/ports/parking-store.ts";

const METHODS = [
  ...[
    "create",
    "list",
    "pending",
    "get",
    "change",
    "remove",
    "counts",
    "open",
    "load",
    "ready",
    "head",
    "start",
  ],
  ...["end", "recover", "finish", "untold", "told", "left", "conclude", "items", "close"],
] as const;

/** The store itself; `onRetried` hears at the moment of its taking effect of what is wanted once more. */
export function watchedParking(
  inner: ParkingStore,
  onRetried: (ids: readonly string[]) => void,
): ParkingStore {
  const store = Object.create(inner) as ParkingStore;
  for (const name of METHODS) Object.assign(store, { [name]: Reflect.get(inner, name).bind(inner) });
  const uncertain = async (id: string) =>
    (await inner.items(id, "uncertain", 0, 10_000)).map((item) => item.id);
  return Object.assign(store, {
    retryUncertain: async (id: string, seen: number) => {
      const before = await uncertain(id);
      const answer = await inner.retryUncertain(id, seen);
      const left = new Set(await uncertain(id));
      onRetried(before.filter((each) => !left.has(each)));
      return answer;
    },
  });
}
