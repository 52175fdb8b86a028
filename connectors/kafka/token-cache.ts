import { Secret } from "../../src/secrets/secret.ts";
import type { BearerSasl } from "./access.ts";

/** What a token endpoint gave out. */
export interface GivenToken {
  readonly value: string;
  /** From now on, as the endpoint says; `undefined`: it does not. */
  readonly lifeMs: number | undefined;
}

export interface TokenCacheOptions {
  /** In messages. */
  readonly username: string;
  readonly extensions: Readonly<Record<string, string>>;
  /** Asks for a new one; bounded in time. */
  readonly fetch: () => Promise<GivenToken>;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** For a token that does not say when it ends. */
const LIFE_MS_DEFAULT = 300_000;
/** A token is used for so much of its life: the session that begins with it has the rest. */
const USED_SHARE = 0.8;

/**
 * The tokens of one cluster's logins: all its connections share one, and the next is fetched before that one ends.
 * While the endpoint does not answer, the old one serves until its end.
 */
export function createTokenSasl(options: TokenCacheOptions): BearerSasl {
  const { username, extensions, fetch, now = () => performance.now() } = options;
  let known: { readonly value: Secret; readonly renewMs: number; readonly endMs: number } | undefined;
  let fetching: Promise<Secret> | undefined;
  const renew = async (): Promise<Secret> => {
    const askedMs = now();
    const { value, lifeMs = LIFE_MS_DEFAULT } = await fetch();
    const secret = new Secret(value);
    known = { value: secret, renewMs: askedMs + lifeMs * USED_SHARE, endMs: askedMs + lifeMs };
    return secret;
  };
  return {
    mechanism: "OAUTHBEARER",
    username,
    async token() {
      const old = known;
      // plant: a-token-is-used-until-its-end
      if (old !== undefined && now() < old.renewMs) return { value: old.value, extensions };
      fetching ??= renew().finally(() => {
        fetching = undefined;
      });
      const value = await fetching.catch((error: unknown) => {
        if (old === undefined || known !== old || now() >= old.endMs) throw error;
        return old.value;
      });
      return { value, extensions };
    },
    refused() {
      known = undefined;
    },
  };
}
