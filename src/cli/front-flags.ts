import type { FrontOptions } from "./adapters.ts";
import type { Flags } from "./command.ts";
import { lastValue, usageError } from "./parse-flags.ts";

const DEFAULT_FRONT = "127.0.0.1:8082";

/** Where HTTP requests from outside are served. */
export const FRONT_FLAGS = {
  front: {
    value: "HOST:PORT",
    implied: DEFAULT_FRONT,
    description:
      "Serves HTTP requests from outside there, by the routes that manifests and the API declare: function URLs, and the forms of " +
      `API Gateway and load balancers. Without an address: ${DEFAULT_FRONT}; off serves none. Default: none.`,
  },
  "front-domain": {
    value: "DOMAIN",
    description:
      "What names of function URLs end in: functions.example.com, or http://functions.test:8082 where nothing with TLS stands before millrace. " +
      "Default: lambda-url.REGION.localhost.",
  },
  "front-certificate": {
    value: "FILE",
    description:
      "Certificate in PEM, with those between it and its authority behind it: --front serves TLS by it. Read again when the file changes.",
  },
  "front-key": {
    value: "FILE",
    description: "Private key of --front-certificate, in PEM and without a password. Read again with it.",
  },
  "front-tls-min": {
    value: "1.2|1.3",
    description: "Oldest version of TLS that --front-certificate serves. Default 1.2.",
  },
  "front-redirect": {
    value: "HOST:PORT",
    description:
      "With --front-certificate: who comes there without TLS is sent to the address with it, by 308. Default: none.",
  },
  "front-trust-proxy": {
    value: "ADDRESS",
    isRepeatable: true,
    description:
      "Address or block (10.0.0.0/8) of a proxy before --front whose X-Forwarded-For, -Port and -Proto count; those of others do not. May be repeated.",
  },
} as const;

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function readFront(flags: Flags): FrontOptions {
  return {
    address: lastValue(flags, "front"),
    domain: frontDomain(flags),
    trusted: flags.get("front-trust-proxy") ?? [],
    credentialsFile: lastValue(flags, "api-credentials"),
    tls: frontTls(flags),
  };
}

function frontTls(flags: Flags): FrontOptions["tls"] {
  const certificateFile = lastValue(flags, "front-certificate");
  const keyFile = lastValue(flags, "front-key");
  const redirectAddress = lastValue(flags, "front-redirect");
  const version = lastValue(flags, "front-tls-min");
  if (certificateFile === undefined || keyFile === undefined) {
    const given = ["front-certificate", "front-key", "front-redirect", "front-tls-min"].find((name) =>
      flags.has(name),
    );
    if (given === undefined) return undefined;
    const missing = certificateFile === undefined ? "--front-certificate" : "--front-key";
    throw usageError(`--${given} needs ${missing}, which is missing. Give both files, or neither.`);
  }
  if (version !== undefined && version !== "1.2" && version !== "1.3")
    throw usageError(`--front-tls-min is ${JSON.stringify(version.slice(0, 80))}. Give 1.2 or 1.3.`);
  return { certificateFile, keyFile, minVersion: version === "1.3" ? "TLSv1.3" : "TLSv1.2", redirectAddress };
}

function frontDomain(flags: Flags): string | undefined {
  const domain = lastValue(flags, "front-domain");
  if (domain === undefined || /^(?:https?:\/\/)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/.test(domain))
    return domain;
  const shown = JSON.stringify(domain.slice(0, 80));
  throw usageError(`--front-domain is ${shown}. Give a name such as functions.example.com, in lower case.`);
}
