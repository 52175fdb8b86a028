import { BlockList, isIP } from "node:net";
import { readCredentials } from "../api/access-credentials.ts";
import { isLoopback, parseServerAddress, type ServerAddress } from "../api/server-address.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { frontDomain } from "../control/routes/route-url.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Place } from "../model/place.ts";
import type { Clock } from "../ports/clock.ts";
import type { FrontTelemetry } from "../ports/front-telemetry.ts";
import type { Random } from "../ports/random.ts";
import type { LogFields, LogLevel } from "../ports/telemetry.ts";
import type { CertificateWatching, FrontCertificate, FrontTls } from "./front-certificate.ts";
import { FRONT_LIMITS } from "./front-limits.ts";
import type { FrontServer } from "./front-server.ts";
import type { RedirectServer } from "./redirect-server.ts";
import { RouteTable } from "./route-table.ts";

/** What flags say of it. */
export interface WantedFront {
  /** HOST:PORT; `undefined` or `off`: HTTP requests are not served. */
  readonly address: string | undefined;
  /** What function URLs end in. */
  readonly domain: string | undefined;
  /** Addresses and blocks of proxies whose words count. */
  readonly trusted: readonly string[];
  /** The API's: their callers with the role `invoke` may sign. */
  readonly credentialsFile: string | undefined;
  /** Absent: requests are served without TLS. */
  readonly tls?: WantedTls | undefined;
}

export interface WantedTls extends FrontTls {
  /** HOST:PORT where who comes without TLS is told where to come with it; absent: nowhere. */
  readonly redirectAddress?: string | undefined;
}

export interface FrontContent {
  readonly control: ControlPlane;
  readonly place: Place;
  readonly telemetry: FrontTelemetry;
  readonly log: (level: LogLevel, message: string, fields: LogFields) => void;
}

export interface ServedFront {
  /** `undefined` while it waits for the first route. */
  readonly url: string | undefined;
  drain(drainMs: number): Promise<void>;
  close(): Promise<void>;
}

interface FrontPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Serves routes of the control plane. Beyond this machine nothing listens before there is a route.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export async function serveFront(
  { address: text, domain, trusted, credentialsFile, tls }: WantedFront,
  { control, place, telemetry, log }: FrontContent,
  { clock, random, environment }: FrontPorts,
): Promise<ServedFront | undefined> {
  const address = text === undefined ? undefined : parseServerAddress(text, true);
  if (address === undefined) return undefined;
  const credentials =
    credentialsFile === undefined ? undefined : readCredentials(credentialsFile, environment);
  let table: RouteTable | undefined;
  control.routes.watch((routes) => {
    table = new RouteTable(routes, frontDomain(place, domain));
  });
  const trustedProxies = blockListOf(trusted);
  const certificate = tls && (await openCertificate(tls, { clock, log }));
  const redirect = tls?.redirectAddress;
  const start = async () => {
    const { startFrontServer } = await import("./front-server.ts");
    return await startFrontServer({
      address,
      certificate,
      table: () => table,
      invoker: () => control.door,
      place,
      credentials,
      trusted: trustedProxies,
      clock,
      requestId: () => random.uuid(),
      telemetry,
    });
  };
  try {
    return await new LateServer({ address, start, log, certificate, redirect }).open(control);
  } catch (error) {
    certificate?.close();
    throw error;
  }
}

async function openCertificate(tls: FrontTls, watching: CertificateWatching): Promise<FrontCertificate> {
  const opened = await import("./front-certificate.ts");
  return new opened.FrontCertificate(tls, watching);
}

interface LateServerParts {
  readonly address: ServerAddress;
  readonly start: () => Promise<FrontServer>;
  readonly log: FrontContent["log"];
  readonly certificate: FrontCertificate | undefined;
  readonly redirect: string | undefined;
}

/** A server that begins to listen with the first route. */
class LateServer implements ServedFront {
  readonly #parts: LateServerParts;
  #server: FrontServer | undefined;
  #redirecting: RedirectServer | undefined;
  #starting: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: LateServerParts) {
    this.#parts = parts;
  }

  get url(): string | undefined {
    return this.#server?.url;
  }

  async open({ routes }: ControlPlane): Promise<ServedFront> {
    const { address, log } = this.#parts;
    if (isLoopback(address.host) || routes.routes.length > 0) {
      await this.#listen();
      return this;
    }
    log("info", "HTTP requests are served beyond this machine once there is a route", this.#fields());
    routes.watch((known) => {
      if (known.length > 0) this.#starting ??= this.#listen().catch((error: unknown) => this.#tell(error));
    });
    return this;
  }

  async #listen(): Promise<void> {
    if (this.#isClosed) return;
    const { address, start, log, certificate, redirect } = this.#parts;
    this.#server ??= await start();
    const { url } = this.#server;
    if (redirect !== undefined) await this.#redirect(redirect, url);
    log("info", "HTTP requests are served", { address: url });
    if (this.#redirecting !== undefined)
      log("info", "requests without TLS are sent on", { address: this.#redirecting.url });
    if (isLoopback(address.host) || certificate !== undefined) return;
    const message = "served without TLS beyond this machine: let a proxy with TLS alone reach it";
    log("warn", message, this.#fields());
  }

  /** @throws MillraceError ERR_MILLRACE_CONFIG */
  async #redirect(text: string, url: string): Promise<void> {
    const address = parseServerAddress(text, true);
    if (address === undefined) return;
    const { startRedirectServer } = await import("./redirect-server.ts");
    const port = Number(new URL(url).port || "443");
    this.#redirecting = await startRedirectServer(address, port, FRONT_LIMITS).catch(
      async (error: unknown) => {
        await this.#server?.close();
        throw error;
      },
    );
  }

  #tell(error: unknown): void {
    this.#starting = undefined;
    this.#parts.log("error", "HTTP requests are not served", { error: describeError(error) });
  }

  #fields() {
    const { host, port } = this.#parts.address;
    return { address: `${host}:${port}` };
  }

  async drain(drainMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#starting;
    await this.#redirecting?.close();
    await this.#server?.drain(drainMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#parts.certificate?.close();
    await this.#starting;
    await this.#redirecting?.close();
    await this.#server?.close();
  }
}

/** @throws MillraceError ERR_MILLRACE_CONFIG */
function blockListOf(texts: readonly string[]): BlockList | undefined {
  if (texts.length === 0) return undefined;
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", bits] = text.split("/");
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : Number(bits);
    if (family === 0 || !/^\d{1,3}$/.test(bits ?? "0") || prefix > most) {
      throw new MillraceError(
        "ERR_MILLRACE_CONFIG",
        `--front-trust-proxy is ${JSON.stringify(text.slice(0, 80))}. Give an address, or a block such as 10.0.0.0/8.`,
      );
    }
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
