import type { VirtualTime } from "../simulation/virtual-clock.ts";

/** Lets virtual time pass until a call on a simulated adapter has ended. */
export async function drive<T>(time: VirtualTime, pending: Promise<T>): Promise<T> {
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
  };
  pending.then(end, end);
  await time.run(Number.POSITIVE_INFINITY, () => hasEnded);
  return pending;
}

/** The same object, whose promises drive the clock themselves: for suites that know of no clock. */
export function driven<T extends object>(time: VirtualTime, adapter: T): T {
  return new Proxy(adapter, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(member, target, args);
        return result instanceof Promise ? drive(time, result) : result;
      };
    },
  });
}
