import { withinReach } from "../control/broker-reach.ts";
import type { ScalerPlaces } from "./adapters.ts";
import { type CliHost, type Command, EXIT_OK, type Flags } from "./command.ts";
import { ENDPOINT_FLAG, readEndpoints } from "./endpoint-flags.ts";
import { listenPlace } from "./listen-place.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";
import { brokerReach, logLevel, RUN_FLAGS, readStore } from "./run-flags.ts";
import { RunStores } from "./run-stores.ts";
import { STORE_FLAGS } from "./store-url.ts";

const DEFAULT_LISTEN = "127.0.0.1:9666";

export const scalerCommand: Command = {
  name: "scaler",
  summary: "Answers KEDA how many pods there is work for.",
  usage: "scaler [FLAGS]",
  details: `KEDA's external scaler: reads from the store, and from the sources of its mappings, what waits, runs, is parked or due, for
the engine, or for the pods of one function that a trigger names. It runs nothing, and answers zero only where nothing is
known to be there: a source that cannot be asked counts as it did last, and one at least. One is enough.
Triggers have function, elementsPerReplica, partsPerReplica, callsPerReplica, quietSeconds and leadSeconds.`,
  flags: {
    listen: { value: "HOST:PORT", description: `Where KEDA asks, by gRPC. Default ${DEFAULT_LISTEN}.` },
    "tls-cert": {
      value: "FILE",
      description: "PEM of the certificate that is shown. Default: no encryption.",
    },
    "tls-key": { value: "FILE", description: "PEM of its key." },
    "tls-client-ca": {
      value: "FILE",
      description: "PEM of the authority whose certificates callers have to show. Default: they show none.",
    },
    metrics: { value: "HOST:PORT", description: "Serves metrics and health there. Default: nowhere." },
    ...STORE_FLAGS,
    endpoint: ENDPOINT_FLAG,
    "broker-hosts": RUN_FLAGS["broker-hosts"],
    ...PLACE_FLAGS,
    "log-level": RUN_FLAGS["log-level"],
  },
  async run(flags, host) {
    const { adapters } = host;
    const place = readScalerPlace(flags);
    const kept = readStore(flags);
    if (kept.store.kind === "memory")
      throw usageError("--store memory: is of one process alone, and a scaler is another.", scalerCommand);
    const reach = brokerReach(flags);
    const reading = {
      connectors: withinReach(adapters.connectors, reach),
      manifestConnectors: adapters.connectors,
      destinations: adapters.destinations,
      endpoints: readEndpoints(flags, adapters.connectors),
      place: readPlace(flags, host),
    };
    const stores = await RunStores.open(adapters, kept);
    try {
      const telemetry = { log: adapters.createJsonLog(logLevel(flags)) };
      const scaler = await adapters.startScaler(place, { ...reading, ...stores.forLookers(), telemetry });
      host.stdout.write(greeting(scaler.address, scaler.metricsUrl));
      await stopped(host);
      await scaler.close();
      return EXIT_OK;
    } finally {
      await stores.close();
    }
  },
};

function greeting(address: string, metricsUrl: string | undefined): string {
  const metrics = metricsUrl === undefined ? "" : `, metrics at ${metricsUrl}/metrics`;
  return `The external scaler is at ${address}${metrics}\n`;
}

function stopped(host: CliHost): Promise<void> {
  return new Promise((resolve) => host.onStopSignal(() => resolve()));
}

function readScalerPlace(flags: Flags): ScalerPlaces {
  const [cert, key, ca] = ["tls-cert", "tls-key", "tls-client-ca"].map((name) => lastValue(flags, name));
  const metrics = lastValue(flags, "metrics");
  if ((cert === undefined) !== (key === undefined) || (ca !== undefined && cert === undefined))
    throw usageError("Give --tls-cert and --tls-key together, and with --tls-client-ca both.", scalerCommand);
  return {
    ...listenPlace("listen", lastValue(flags, "listen") ?? DEFAULT_LISTEN, scalerCommand),
    tls: cert === undefined || key === undefined ? undefined : { cert, key, ca },
    metrics: metrics === undefined ? undefined : listenPlace("metrics", metrics, scalerCommand),
  };
}
