import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { RotatingCredentials } from "./credentials.ts";

/** The credentials of this process, as the SDK finds them, for what is signed without a client of the SDK. */
export function processCredentials(): RotatingCredentials {
  return new RotatingCredentials(() => defaultProvider({ ignoreCache: true })());
}
