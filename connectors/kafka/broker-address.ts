import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { NetworkReach } from "../../src/model/network-reach.ts";
import { refusalOf } from "../../src/network/reachable-address.ts";

export const ADDRESS_REFUSED = "ERR_ADDRESS_REFUSED";

/** Throws for an address that may not be dialled; a name is looked at when it is resolved, by `reachableLookup`. */
export function checkLiteral(host: string, reach: NetworkReach | undefined): void {
  if (reach === undefined || isIP(host) === 0) return;
  const refusal = refusalOf(host, host, reach);
  if (refusal !== undefined) throw refused(host, refusal);
}

/**
 * Resolves a name to those of its addresses that may be dialled. The socket dials what this answers and asks nobody
 * again, so a name cannot turn into another's address between the look and the call.
 */
export function reachableLookup(reach: NetworkReach | undefined): { lookup?: LookupFunction } {
  if (reach === undefined) return {};
  return {
    lookup: (host, options, callback) => {
      const wanted: LookupOptions = { ...options, all: true };
      lookup(host, wanted, (error, found) => {
        if (error !== null) return callback(error, "", 0);
        const all: readonly LookupAddress[] = Array.isArray(found) ? found : [];
        const allowed = all.filter(({ address }) => refusalOf(host, address, reach) === undefined);
        const [first] = allowed;
        if (first === undefined) return callback(refused(host, reasonOf(host, all, reach)), "", 0);
        if (options.all === true) return callback(null, allowed);
        return callback(null, first.address, first.family);
      });
    },
  };
}

function reasonOf(host: string, all: readonly LookupAddress[], reach: NetworkReach): string {
  const [first] = all;
  const reason = first && refusalOf(host, first.address, reach);
  return reason ?? "it has no address";
}

function refused(host: string, reason: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${host} is not called: ${reason}`);
  error.code = ADDRESS_REFUSED;
  return error;
}
