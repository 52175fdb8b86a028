import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { GROUP_SECRET } from "../../model/group-secret.ts";
import { sha256 } from "../access-credentials.ts";

export const PAGE_HEADER = "x-millrace-page";

/** A page that one of several processes gave acts through all of them. `undefined`: this process serves alone. */
export function groupSecretOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const secret = environment[GROUP_SECRET];
  return secret === "" ? undefined : secret;
}

/**
 * Says which changes may come from a web page: from the server's own, when it shows that it is. With credentials its
 * user's token is the sign; without, a random token of this start that stands in the page. No cookies are used, so no
 * other site's page can send either; and none can read the page, since nothing is answered across origins.
 */
export class PageAccess {
  /** For the page's head; `undefined`: callers have credentials of their own. */
  readonly token: string | undefined;

  constructor(hasCredentials: boolean, groupSecret: string | undefined) {
    this.token = hasCredentials ? undefined : (groupSecret ?? randomBytes(24).toString("base64url"));
  }

  mayAct({ origin, host, authorization, [PAGE_HEADER]: shown }: IncomingHttpHeaders): boolean {
    if (!isOwnOrigin(origin, host)) return false;
    if (this.token === undefined) return authorization !== undefined && /^Bearer /i.test(authorization);
    return typeof shown === "string" && timingSafeEqual(sha256(shown), sha256(this.token));
  }
}

/** A proxy with TLS may stand before us: the scheme is not ours to judge, the name is. */
function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}
