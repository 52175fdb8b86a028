import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { Binary, type Document } from "mongodb";
import { CommandError } from "./twin-error.ts";

const ITERATIONS = 4_096;

export interface TwinUser {
  readonly username: string;
  readonly password: string;
}

/** The server's side of one login by SCRAM-SHA-256 (RFC 7677). */
export class TwinScram {
  readonly #users: readonly TwinUser[];
  readonly #salt = randomBytes(28);
  #user: TwinUser | undefined;
  #clientFirst = "";
  #serverFirst = "";

  constructor(users: readonly TwinUser[]) {
    this.#users = users;
  }

  start(command: Document): Document {
    const text = textOf(command["payload"]);
    this.#clientFirst = text.slice(text.indexOf("n="));
    const username = /n=([^,]*)/.exec(this.#clientFirst)?.[1];
    this.#user = this.#users.find((each) => each.username === username);
    const nonce = (/r=([^,]*)/.exec(this.#clientFirst)?.[1] ?? "") + randomBytes(18).toString("base64");
    this.#serverFirst = `r=${nonce},s=${this.#salt.toString("base64")},i=${ITERATIONS}`;
    return answer(this.#serverFirst, false);
  }

  /** @throws CommandError where the proof is not that of the password. */
  proceed(command: Document): Document {
    const text = textOf(command["payload"]);
    const [, withoutProof = "", proof = ""] = /^(.*),p=(.*)$/s.exec(text) ?? [];
    const salted = pbkdf2Sync(this.#user?.password ?? "", this.#salt, ITERATIONS, 32, "sha256");
    const authMessage = `${this.#clientFirst},${this.#serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash("sha256").update(clientKey).digest();
    const expected = xor(clientKey, hmac(storedKey, authMessage));
    if (this.#user === undefined || expected.toString("base64") !== proof)
      throw new CommandError(18, "AuthenticationFailed", "Authentication failed.");
    const signature = hmac(hmac(salted, "Server Key"), authMessage);
    return answer(`v=${signature.toString("base64")}`, true);
  }
}

function answer(payload: string, done: boolean): Document {
  return { conversationId: 1, done, payload: new Binary(Buffer.from(payload)) };
}

function textOf(payload: unknown): string {
  return payload instanceof Binary ? payload.toString("utf8") : "";
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}
