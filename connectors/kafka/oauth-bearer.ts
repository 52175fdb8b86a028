import type { BearerSasl } from "./access.ts";
import { KafkaFault } from "./fault.ts";

/** What kafkajs asks of a mechanism that is not one of its own. */
interface Broker {
  readonly host: string;
  readonly port: number;
  saslAuthenticate(step: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response: { decode(bytes: Buffer): Promise<string>; parse(text: string): Promise<string> };
  }): Promise<unknown>;
}

/** Between the parts of a message (RFC 7628, section 3.1). */
const SEPARATOR = "\x01";
const STATUS = /^[A-Za-z0-9_. -]{1,60}$/;

/**
 * SASL/OAUTHBEARER as a mechanism of kafkajs. Its own takes any answer for a success: a broker that refuses a token
 * answers without an error, with a JSON that says why, and fails only the next step (RFC 7628, section 3.2.3). Then
 * nobody would know why the connection ends.
 */
export function bearerMechanism(sasl: BearerSasl): object {
  return {
    mechanism: sasl.mechanism,
    authenticationProvider: ({ host, port, saslAuthenticate }: Broker) => ({
      async authenticate() {
        const { value, extensions } = await sasl.token();
        const parts = Object.entries(extensions).map(([name, text]) => `${name}=${text}${SEPARATOR}`);
        const first = `n,,${SEPARATOR}auth=Bearer ${value.reveal()}${SEPARATOR}${parts.join("")}${SEPARATOR}`;
        try {
          const answer = await saslAuthenticate(step(first));
          // plant: any-answer-to-a-token-is-a-success
          if (answer === "") return;
          const why = String(answer);
          // The broker waits for this, and then says in its own error that the login has failed.
          await saslAuthenticate(step(SEPARATOR)).catch(() => undefined);
          throw refusedToken(`${host}:${port}`, why);
        } catch (error) {
          sasl.refused();
          throw error;
        }
      },
    }),
  };
}

function step(text: string) {
  return {
    request: { encode: async () => withLength(Buffer.from(text)) },
    response: {
      decode: async (bytes: Buffer) => bytes.subarray(4).toString("utf8"),
      parse: async (answer: string) => answer,
    },
  };
}

/** kafkajs takes and gives the bytes of a step behind their length. */
function withLength(bytes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

function refusedToken(broker: string, answer: string): KafkaFault {
  return new KafkaFault(
    "authentication",
    `SASL authentication failed at the broker ${broker}: it refused the OAuth 2.0 token (${statusOf(answer)}). Look at ` +
      "issuer, audience, scope and life of what the token endpoint gives out, and at what the broker expects.",
    { processingResult: "SASL authentication failed", endpoint: broker },
  );
}

function statusOf(answer: string): string {
  try {
    const status: unknown = JSON.parse(answer)?.status;
    if (typeof status === "string" && STATUS.test(status)) return status;
  } catch {
    // Below.
  }
  return "without a reason";
}
