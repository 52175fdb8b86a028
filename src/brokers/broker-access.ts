import type { SecureContext } from "node:tls";
import { MillraceError } from "../model/errors.ts";
import { readSecret } from "../secrets/read-secret.ts";
import { Secret } from "../secrets/secret.ts";
import { parseSecretUri } from "../secrets/secret-uri.ts";
import { secureContextOf, type TlsIdentity } from "../secrets/secure-context.ts";
import { SecretDocument } from "../secrets/source-access.ts";

export const LOGIN_TYPES = [
  "BASIC_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
] as const;
export type LoginType = (typeof LOGIN_TYPES)[number];

/** Where a secret stands, never the secret itself. */
export interface BrokerLogin {
  readonly type: LoginType;
  /** `file:` with an absolute path, `env:` with the name of a variable, or the ARN of a secret. */
  readonly uri: string;
}

/** How a broker is reached. */
export interface BrokerAccess {
  /** `undefined`: EXTERNAL, by the client's certificate. */
  readonly login: { readonly username: string; readonly password: Secret } | undefined;
  /** For connections with TLS; the broker's certificate is always verified. */
  readonly tls: { readonly secureContext: SecureContext; readonly minVersion: "TLSv1.2" };
}

/**
 * Reads the secrets, in the JSON forms of AWS's. @throws ERR_MILLRACE_CONFIG when one is missing or has another form.
 * No message shows any of it.
 */
export async function readBrokerAccess(
  logins: readonly BrokerLogin[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<BrokerAccess> {
  let login: BrokerAccess["login"];
  let certificates: TlsIdentity = {};
  for (const { type, uri } of logins) {
    const form = formOf(type);
    const text = await readSecret({ uri, purpose: type, form }, environment);
    const secret = new SecretDocument({ type, uri }, form, text);
    if (type === "BASIC_AUTH") {
      login = { username: secret.text("username"), password: new Secret(secret.text("password")) };
      continue;
    }
    certificates = { ...certificates, ...certificatesOf(type, secret) };
  }
  const secureContext = secureContextOf(certificates, certificateRefused);
  return { login, tls: { secureContext, minVersion: "TLSv1.2" } };
}

function certificatesOf(type: LoginType, secret: SecretDocument): TlsIdentity {
  if (type === "SERVER_ROOT_CA_CERTIFICATE") return { ca: secret.text("certificate") };
  const passphrase = secret.optionalText("privateKeyPassword");
  return {
    certificate: secret.text("certificate"),
    privateKey: new Secret(secret.text("privateKey")),
    passphrase: passphrase === undefined ? undefined : new Secret(passphrase),
  };
}

function certificateRefused(code: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `A certificate or private key for the broker cannot be used (${code}). Give PEM texts that belong together: the ` +
      "client certificate with its chain, its private key, and the authority's certificate.",
  );
}

function formOf(type: LoginType): string {
  switch (type) {
    case "CLIENT_CERTIFICATE_TLS_AUTH":
      return '{"certificate": PEM, "privateKey": PEM, "privateKeyPassword": TEXT if the key has one}';
    case "SERVER_ROOT_CA_CERTIFICATE":
      return '{"certificate": PEM}';
    case "BASIC_AUTH":
      return '{"username": TEXT, "password": TEXT}';
  }
}

/** Entries that name no login, and those that cannot be read, are left out: checks have told them. */
export function loginsOf(
  entries: readonly { readonly type: string; readonly uri: string }[],
  folder: string,
): readonly BrokerLogin[] {
  return entries.flatMap(({ type, uri }) => {
    const known = LOGIN_TYPES.find((each) => each === type);
    const secret = parseSecretUri(uri, folder);
    return known === undefined || secret.kind === "fault" ? [] : [{ type: known, uri: secret.uri }];
  });
}
