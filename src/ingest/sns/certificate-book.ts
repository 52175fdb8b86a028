import { type KeyObject, X509Certificate } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { CheckedGet } from "./checked-get.ts";

/** `unknown`: it cannot be had for now. */
export type SigningKey = { readonly kind: "key"; readonly key: KeyObject } | { readonly kind: "unknown" };

interface KnownKey {
  readonly answer: Promise<SigningKey>;
  readonly untilMs: number;
}

const KEYS_MAX = 16;
const KEY_MS = 24 * 3_600_000;
/** One that could not be had is not asked for again at every message. */
const FAILED_MS = 30_000;
/** So many are asked for within that time, over all messages: whoever sends forged ones has us ask no more often. */
const ASKED_MAX = 8;

/** Keys of the certificates that messages are signed with, asked for once a day each. */
export class CertificateBook {
  readonly #get: CheckedGet;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #known = new Map<string, KnownKey>();
  #asked: readonly number[] = [];

  constructor(get: CheckedGet, clock: Pick<Clock, "now" | "monotonic">) {
    this.#get = get;
    this.#clock = clock;
  }

  async keyAt(url: URL, isListed: boolean): Promise<SigningKey> {
    const nowMs = this.#clock.monotonic();
    const known = this.#known.get(url.href);
    if (known !== undefined && nowMs < known.untilMs) return await known.answer;
    this.#asked = this.#asked.filter((atMs) => nowMs - atMs < FAILED_MS);
    if (this.#asked.length >= ASKED_MAX) return { kind: "unknown" };
    this.#asked = [...this.#asked, nowMs];
    const answer = this.#ask(url, isListed);
    this.#keep(url.href, { answer, untilMs: nowMs + FAILED_MS });
    const key = await answer;
    if (key.kind === "key") this.#keep(url.href, { answer, untilMs: nowMs + KEY_MS });
    return key;
  }

  #keep(url: string, key: KnownKey): void {
    this.#known.delete(url);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= KEYS_MAX && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(url, key);
  }

  async #ask(url: URL, isListed: boolean): Promise<SigningKey> {
    const bytes = await this.#get(url, isListed);
    try {
      const certificate = bytes && new X509Certificate(bytes);
      if (certificate === undefined || !this.#isValid(certificate)) return { kind: "unknown" };
      const key = certificate.publicKey;
      return key.asymmetricKeyType === "rsa" ? { kind: "key", key } : { kind: "unknown" };
    } catch {
      return { kind: "unknown" };
    }
  }

  #isValid({ validFrom, validTo }: X509Certificate): boolean {
    const nowMs = this.#clock.now();
    return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
  }
}
