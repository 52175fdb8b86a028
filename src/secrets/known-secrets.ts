/** Shorter texts stand everywhere by chance: taking them out would leave nothing to read. */
const SECRET_CHARS_MIN = 6;
const SECRETS_MAX = 2_000;
const SECRET_CHARS_MAX = 64 * 1024;

/**
 * Texts of this process that nobody may see, wherever they turn up. Those that are known longest make room for others:
 * secrets that are read anew again and again do not grow the memory.
 */
export class KnownSecrets {
  readonly #texts = new Set<string>();
  #version = 0;

  /** A secret of several members, as JSON, is each of them, too. */
  add(text: string): void {
    this.#addOne(text);
    for (const member of membersOf(text)) this.#addOne(member);
  }

  /** Grows whenever another text is known. */
  get version(): number {
    return this.#version;
  }

  /** The longest first: what holds another goes before it. */
  get texts(): readonly string[] {
    return [...this.#texts].sort((a, b) => b.length - a.length);
  }

  #addOne(given: string): void {
    const text = given.trim();
    if (text.length < SECRET_CHARS_MIN || text.length > SECRET_CHARS_MAX) return;
    if (this.#texts.delete(text)) {
      this.#texts.add(text);
      return;
    }
    this.#texts.add(text);
    this.#version++;
    const [eldest] = this.#texts;
    if (this.#texts.size > SECRETS_MAX && eldest !== undefined) this.#texts.delete(eldest);
  }
}

/** What every `Secret` of this process holds: whoever reads one need not think of who might show it. */
export const KNOWN_SECRETS = new KnownSecrets();

/** Who somebody is, is no secret. */
const OPEN_MEMBERS = new Set(["username", "user", "host", "port", "dbname", "engine", "region"]);

function membersOf(text: string): readonly string[] {
  if (!text.trimStart().startsWith("{")) return [];
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, member]) =>
      typeof member === "string" && !OPEN_MEMBERS.has(name.toLowerCase()) ? [member] : [],
    );
  } catch {
    return [];
  }
}

/** How variables are named that hold credentials. Names of files and variables hold none themselves. */
const CREDENTIAL_NAME =
  /(?:SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|CREDENTIAL|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|AUTH|OTLP_HEADERS|_DSN$|_PAT$)/i;
const REFERENCE_NAME = /_(?:FILE|PATH|DIR|URI|ARN|NAME|ENV|MODE|TYPE|METHOD|MECHANISM)$/i;

/** Values of variables that are credentials by their names, and passwords within URLs. */
export function addCredentialVariables(
  known: KnownSecrets,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (CREDENTIAL_NAME.test(name) && !REFERENCE_NAME.test(name)) {
      known.add(value);
      // Headers of an OTLP endpoint: `authorization=Bearer%20…,x-key=…`.
      if (/HEADERS$/i.test(name)) for (const part of value.split(/[,=]/)) known.add(decoded(part));
    }
    const password = value.includes("@") && URL.canParse(value) ? new URL(value).password : "";
    if (password !== "") {
      known.add(password);
      known.add(decoded(password));
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
