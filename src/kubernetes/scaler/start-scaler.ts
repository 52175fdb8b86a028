import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { DemandReader, type DemandReaderOptions } from "../../control/demand/demand-reader.ts";
import { describeError, MillraceError } from "../../model/errors.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { ScalerFigures } from "./scaler-figures.ts";
import { ScalerServer, type ScalerServerOptions } from "./scaler-server.ts";
import { ScalerWatch } from "./scaler-watch.ts";

/** Where a scaler is served. */
export interface ScalerPlace {
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files; absent: connections are not encrypted. */
  readonly tls?:
    | { readonly cert: string; readonly key: string; readonly ca?: string | undefined }
    | undefined;
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
}

export interface RunningScaler {
  readonly address: string;
  readonly metricsUrl: string | undefined;
  close(): Promise<void>;
}

/** Answers KEDA until it is closed. The store need not answer yet. @throws MillraceError ERR_MILLRACE_CONFIG */
export async function startScaler(
  { host, port, tls, metrics }: ScalerPlace,
  options: DemandReaderOptions & { readonly telemetry: Pick<Telemetry, "log"> },
): Promise<RunningScaler> {
  const { clock, telemetry } = options;
  const reader = new DemandReader(options);
  const figures = new ScalerFigures();
  const onLook = figures.looked.bind(figures);
  const watch = new ScalerWatch({ look: () => reader.look(), clock, telemetry, onLook });
  const server = new ScalerServer({ watch, clock, tls: tls && readTls(tls) });
  const name = host.includes(":") ? `[${host}]` : host;
  const bound = await server.listen(`${name}:${port}`);
  const health =
    metrics &&
    (await figures.serve(metrics, watch).catch(async (error: unknown) => {
      await server.close();
      throw error;
    }));
  watch.start();
  return {
    address: `${name}:${bound}`,
    metricsUrl: health && `http://${metrics?.host ?? ""}:${(health.address() as AddressInfo).port}`,
    async close() {
      await server.close();
      await watch.stop();
      health?.closeAllConnections();
      await new Promise<void>((resolve) =>
        health === undefined ? resolve() : health.close(() => resolve()),
      );
      await reader.close();
    },
  };
}

function readTls({ cert, key, ca }: NonNullable<ScalerPlace["tls"]>): ScalerServerOptions["tls"] {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new MillraceError("ERR_MILLRACE_CONFIG", `A file of TLS cannot be read: ${describeError(error)}`);
    }
  };
  return { cert: read(cert), key: read(key), ca: ca === undefined ? undefined : read(ca) };
}
