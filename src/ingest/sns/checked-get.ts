import { lookup as resolveName } from "node:dns";
import { get } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { refusalOf } from "../../network/reachable-address.ts";

/** Gets what a URL names that a message has brought; `undefined`: it could not be had. Never rejects. */
export type CheckedGet = (url: URL, isListed: boolean) => Promise<Buffer | undefined>;

const ANSWER_BYTES_MAX = 16 * 1024;
const ANSWER_MS_MAX = 5_000;

/**
 * Over https alone, with the system's authorities, and without following redirects. The address is looked at that is
 * dialled: a name could be another's a moment later. Hosts that the operator has not listed are none of this network.
 */
export const checkedGet: CheckedGet = (url, isListed) => {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && isRefused(host, host, isListed)) return Promise.resolve(undefined);
  const request = get(url, {
    agent: false,
    headers: { accept: "*/*" },
    lookup: checkedLookup(isListed),
    maxHeaderSize: ANSWER_BYTES_MAX,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  request.on("error", () => resolve(undefined));
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const giveUp = () => {
      request.destroy();
      resolve(undefined);
    };
    if (response.statusCode !== 200) return giveUp();
    response.on("error", giveUp);
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) giveUp();
      else chunks.push(chunk);
    });
    response.on("end", () => resolve(Buffer.concat(chunks)));
  });
  return promise;
};

function isRefused(host: string, address: string, isListed: boolean): boolean {
  if (refusalOf(host, address, { allowsLoopback: isListed }) !== undefined) return true;
  return !isListed && isPrivate(address);
}

const PRIVATE =
  /^(?:10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[789]\d|1[01]\d|12[0-7])\.)/;

function isPrivate(address: string): boolean {
  return PRIVATE.test(address.replace(/^::ffff:/i, "")) || /^f[cd]/i.test(address);
}

function checkedLookup(isListed: boolean): LookupFunction {
  return (host, options, callback) => {
    resolveName(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const refused = addresses.some(({ address }) => isRefused(host, address, isListed));
      const [first] = addresses;
      if (refused || first === undefined) {
        callback(new Error("the address may not be called"), "");
      } else if (options.all === true) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
