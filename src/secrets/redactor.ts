import { KNOWN_SECRETS, type KnownSecrets } from "./known-secrets.ts";

const REDACTED = "[redacted]";

/**
 * The one place where texts of functions lose what nobody may see, before they are kept or shown (decision 0036):
 * control characters, secrets that this process knows, and what looks like a credential. It is a net and no proof: who
 * must not have texts seen at all sets `errorDetails: type`.
 */
export class Redactor {
  readonly #known: KnownSecrets;
  #texts: readonly string[] = [];
  #version = -1;

  constructor(known: KnownSecrets = KNOWN_SECRETS) {
    this.#known = known;
  }

  readonly redact = (text: string): string => {
    // Control characters first: one in the middle of a secret would hide it.
    const plain = withoutControls(text);
    return withoutCredentials(this.#withoutKnown(plain));
  };

  #withoutKnown(text: string): string {
    if (this.#version !== this.#known.version) {
      this.#version = this.#known.version;
      this.#texts = this.#known.texts.flatMap((secret) => forms(secret));
    }
    let clean = text;
    for (const secret of this.#texts) if (clean.includes(secret)) clean = clean.replaceAll(secret, REDACTED);
    // plant: a-secret-that-a-text-was-cut-through-is-shown
    for (const secret of this.#texts) clean = withoutEdges(clean, secret);
    return clean;
  }
}

/** As it is, and as it stands within JSON or a URL. */
function forms(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, json, encodeURIComponent(secret)])];
}

/** So much of a secret at an edge of a text is told by a text that was cut through it. */
const EDGE_CHARS = 8;

/** Texts come cut: by their functions, by servers, by bounds. A part of a secret at an edge is one, too. */
function withoutEdges(text: string, secret: string): string {
  if (secret.length <= EDGE_CHARS) return text;
  const end = beginsAtEnd(text, secret);
  const clean = end === undefined ? text : text.slice(0, end) + REDACTED;
  const start = endsAtStart(clean, secret);
  return start === undefined ? clean : REDACTED + clean.slice(start);
}

/** Where the secret begins that the text does not end; `undefined`: nowhere. */
function beginsAtEnd(text: string, secret: string): number | undefined {
  const beginning = secret.slice(0, EDGE_CHARS);
  let at = text.indexOf(beginning, Math.max(0, text.length - secret.length));
  while (at >= 0 && !secret.startsWith(text.slice(at))) at = text.indexOf(beginning, at + 1);
  return at < 0 ? undefined : at;
}

/** Where the secret ends that began before the text; `undefined`: nowhere. */
function endsAtStart(text: string, secret: string): number | undefined {
  const ending = secret.slice(-EDGE_CHARS);
  let at = text.lastIndexOf(ending, secret.length - EDGE_CHARS);
  while (at >= 0 && !secret.endsWith(text.slice(0, at + EDGE_CHARS)))
    at = at === 0 ? -1 : text.lastIndexOf(ending, at - 1);
  return at < 0 ? undefined : at + EDGE_CHARS;
}

/** Sequences that colour and move on terminals go whole; of other control characters line ends and tabs stay. */
function withoutControls(text: string): string {
  if (!CONTROL.test(text)) return text;
  return text.replace(SEQUENCE, "").replace(/\r\n?/g, "\n").replace(CONTROLS, "");
}

const ESCAPE = "\\u001b";
const SEQUENCE = new RegExp(
  `(?:${ESCAPE}\\[|\\u009b)[0-?]*[ -/]*[@-~]|${ESCAPE}[\\]PX^_][^\\u0007\\u001b]*(?:\\u0007|${ESCAPE}\\\\)?|${ESCAPE}[@-Z\\\\^_]?`,
  "g",
);
/** Also what turns the direction of writing: a text must not show itself as another. */
const CONTROL = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const CONTROLS = /(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text without any of these has no credential that its form gives away: most texts. */
const SIGNS = /A[KS]IA|bearer|basic|eyJ|-----|:\/\/|password|passwd|secret|token|api[-_]?key/i;

function withoutCredentials(text: string): string {
  if (!SIGNS.test(text)) return text;
  let clean = text;
  for (const [pattern, shown] of PATTERNS) clean = clean.replace(pattern, shown);
  return clean;
}

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // A key in PEM, also one of which the end or the beginning was cut off.
  [/-----BEGIN [A-Z0-9 ]{1,64}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g, REDACTED],
  [/^[A-Za-z0-9+/=\s\\n]*-----END [A-Z0-9 ]{1,64}-----/g, REDACTED],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}/g, REDACTED],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}/g, REDACTED],
  [/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#@"'<>]{1,1024}@/gi, `$1${REDACTED}@`],
  [
    /((?:password|passwd|passphrase|secret(?:[-_ ]?access)?(?:[-_ ]?key)?|(?:access|refresh|session|security|id|auth)[-_ ]?token|api[-_]?key)["']?\s*[:=]\s*["']?)(?!\[redacted\])[^\s"',;&}]{4,}/gi,
    `$1${REDACTED}`,
  ],
];
