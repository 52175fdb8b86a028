import type { FaultyWay } from "../control/faulty-way.ts";

/** What one process has of a port: each call goes by its way to the store, and may be lost, late or cut. */
export function throughWay<Port extends object>(inner: Port, way: FaultyWay): Port {
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || name === "close") return member;
      return (...values: readonly unknown[]) => way.call(async () => Reflect.apply(member, target, values));
    },
  });
}
