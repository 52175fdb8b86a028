import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { LogFields, LogLevel } from "../ports/telemetry.ts";

/** What flags say of TLS. */
export interface FrontTls {
  /** PEM: the certificate, and those between it and its authority behind it. */
  readonly certificateFile: string;
  /** PEM, without a password. */
  readonly keyFile: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

export interface CertificateWatching {
  readonly clock: Clock;
  readonly log: (level: LogLevel, message: string, fields: LogFields) => void;
}

interface Loaded {
  readonly context: SecureContext;
  readonly validTo: string;
  readonly isOver: boolean;
}

/** Secrets of Kubernetes are put in place by links, of which no file event tells. */
const LOOK_MS = 10_000;
const FILE_BYTES_MAX = 1024 * 1024;
/** The list of names that TLS has for it: each behind its length. */
const HTTP_1_1 = Buffer.from("\x08http/1.1");

/**
 * The certificate by which HTTP requests are served, and its key, read again when a file is another one: connections
 * that are open keep theirs. Where what is new cannot be used the last one that could stays in use, and that is told.
 */
export class FrontCertificate {
  readonly #tls: FrontTls;
  readonly #watching: CertificateWatching;
  readonly #looking: Pick<ScheduledCall, "cancel">;
  #loaded: Loaded;
  #stamp: string;

  /** @throws MillraceError ERR_MILLRACE_CONFIG, which shows nothing of what the files hold. */
  constructor(tls: FrontTls, watching: CertificateWatching) {
    this.#tls = tls;
    this.#watching = watching;
    this.#stamp = stampOf(tls);
    this.#loaded = loaded(tls, watching.clock.now());
    this.#tell("certificate read");
    this.#looking = this.#plan();
  }

  /** The connection, encrypted from its first byte on. */
  secured(socket: Socket): TLSSocket {
    const { context } = this.#loaded;
    return new TLSSocket(socket, { isServer: true, secureContext: context, ALPNProtocols: HTTP_1_1 });
  }

  /** Reads the files again if one of them is another. */
  look(): void {
    const { clock, log } = this.#watching;
    const stamp = stampOf(this.#tls);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#loaded = loaded(this.#tls, clock.now());
      this.#tell("certificate read again");
    } catch (error) {
      log("error", "the new certificate cannot be used: the last one stays", { error: describeError(error) });
    }
  }

  close(): void {
    this.#looking.cancel();
  }

  #plan(): Pick<ScheduledCall, "cancel"> {
    const { clock } = this.#watching;
    let next: ScheduledCall;
    const plan = () => {
      next = clock.schedule(LOOK_MS, () => {
        this.look();
        plan();
      });
    };
    plan();
    return { cancel: () => next.cancel() };
  }

  #tell(message: string): void {
    const { validTo, isOver } = this.#loaded;
    const fields = { certificate: this.#tls.certificateFile, validTo };
    this.#watching.log("info", message, fields);
    if (isOver) this.#watching.log("warn", "the certificate has ended: clients refuse it", fields);
  }
}

/** Another text when a file is another, or is there again. */
function stampOf({ certificateFile, keyFile }: FrontTls): string {
  return [certificateFile, keyFile]
    .map((path) => {
      try {
        const { mtimeMs, size, ino } = statSync(path);
        return `${mtimeMs} ${size} ${ino}`;
      } catch {
        return "none";
      }
    })
    .join("|");
}

function loaded({ certificateFile, keyFile, minVersion }: FrontTls, nowMs: number): Loaded {
  const cert = readPem(certificateFile, "--front-certificate");
  const key = readPem(keyFile, "--front-key");
  const certificate = certificateIn(cert, certificateFile);
  if (!certificate.checkPrivateKey(keyIn(key, keyFile)))
    throw unusable(
      `The key in ${keyFile} is not the key of the certificate in ${certificateFile}`,
      "Give the two that belong together, the server's own certificate first",
    );
  try {
    const context = createSecureContext({ cert, key, minVersion });
    const { validTo } = certificate;
    return { context, validTo, isOver: Date.parse(validTo) < nowMs };
  } catch (error) {
    // Its text may quote what it has read.
    const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
    throw unusable(
      `TLS cannot use the certificate in ${certificateFile} and the key in ${keyFile} (${code})`,
      "Give a certificate with its chain and its private key, both in PEM",
    );
  }
}

function readPem(path: string, flag: string): Buffer {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw unusable(
      `The file ${path} of ${flag} cannot be read (${code})`,
      "Name a file that this process may read",
    );
  }
  if (text.length <= FILE_BYTES_MAX) return text;
  throw unusable(`The file ${path} of ${flag} has more than ${FILE_BYTES_MAX} bytes`, "Name a file in PEM");
}

function certificateIn(text: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw unusable(
      `The file ${path} holds no certificate in PEM`,
      "Begin it with -----BEGIN CERTIFICATE-----",
    );
  }
}

function keyIn(text: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw unusable(
      `The file ${path} holds no private key in PEM that can be used without a password`,
      "Begin it with -----BEGIN PRIVATE KEY-----",
    );
  }
}

function unusable(message: string, remedy: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}. ${remedy}.`);
}
