/** What an endpoint may say beside its host: all else is the connector's. */
const OPTIONS = ["tls", "replicaSet", "authSource", "directConnection"] as const;

export interface ClusterAddress {
  /** Without a login. */
  readonly connectionString: string;
  /** Unless the endpoints say `tls=false`. */
  readonly hasTls: boolean;
}

/** One endpoint, taken apart. */
interface Endpoint {
  readonly scheme: string;
  readonly host: string;
  readonly options: string;
}

/** What is wrong with the endpoints of a mapping, by the place of each; none: they are the address of a cluster. */
export function endpointProblems(texts: readonly string[]): readonly (string | undefined)[] {
  const [first] = texts.map(endpointOf);
  return texts.map((text, index) => {
    const endpoint = endpointOf(text);
    if (endpoint === undefined) return "The text is not the address of a member of a cluster";
    if (endpoint.scheme === SRV && texts.length > 1) return "A name of mongodb+srv stands alone";
    const isOther = index > 0 && first !== undefined && endpoint.options !== first.options;
    return isOther ? "The options differ from those of the first endpoint" : undefined;
  });
}

/** The endpoints have passed the checks. */
export function clusterAddress(texts: readonly string[]): ClusterAddress {
  const endpoints = texts.flatMap((text) => endpointOf(text) ?? []);
  const { scheme = PLAIN, options = "" } = endpoints[0] ?? {};
  const hosts = endpoints.map(({ host }) => host).join(",");
  const hasTls = new URLSearchParams(options).get("tls") !== "false";
  return { connectionString: `${scheme}//${hosts}/${options === "" ? "" : `?${options}`}`, hasTls };
}

const PLAIN = "mongodb:";
const SRV = "mongodb+srv:";

function endpointOf(text: string): Endpoint | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, port, username, password, pathname, searchParams, hash } = new URL(text);
  if (protocol !== PLAIN && protocol !== SRV) return undefined;
  if (host === "" || host.includes(",") || username !== "" || password !== "" || hash !== "")
    return undefined;
  if ((pathname !== "" && pathname !== "/") || (protocol === SRV && port !== "")) return undefined;
  const options = [...searchParams];
  if (new Set(options.map(([name]) => name)).size < options.length) return undefined;
  if (!options.every(([name, value]) => isOption(name, value))) return undefined;
  searchParams.sort();
  return { scheme: protocol, host, options: searchParams.toString() };
}

function isOption(name: string, value: string): boolean {
  if (!OPTIONS.some((each) => each === name)) return false;
  const isFlag = name === "tls" || name === "directConnection";
  return isFlag ? value === "true" || value === "false" : /^[^\s/\\."$]{1,128}$/.test(value);
}
