/**
 * How far the clocks of services are ahead of this host's, as the SDK learns it from each answer's date. A client alone
 * forgets it when it is closed, and the next one would be refused anew: so they are kept for the whole process.
 */
const offsets = new Map<string, number>();

/** `endpointKey` names a place whose clock is one: service, region and endpoint. */
export function keepClockOffset(config: { systemClockOffset: number }, endpointKey: string): void {
  Object.defineProperty(config, "systemClockOffset", {
    get: () => offsets.get(endpointKey) ?? 0,
    set: (offsetMs: number) => offsets.set(endpointKey, offsetMs),
    enumerable: true,
    configurable: true,
  });
}
