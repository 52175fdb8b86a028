import { createSecureContext, type SecureContext } from "node:tls";

/** Who a client is, and whom it trusts: PEM texts. Default: nobody, and the authorities that Node trusts. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly certificate?: string;
  readonly privateKey?: { reveal(): string };
  readonly passphrase?: { reveal(): string } | undefined;
}

/**
 * What connections of this identity need, made once. @throws what `refusal` makes of the code of Node's error, whose
 * own message may tell parts of a key.
 */
export function secureContextOf(
  { ca, certificate, privateKey, passphrase }: TlsIdentity,
  refusal: (code: string) => Error,
): SecureContext {
  try {
    return createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(privateKey === undefined ? {} : { key: privateKey.reveal() }),
      ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    });
  } catch (error) {
    throw refusal(error instanceof Error && "code" in error ? String(error.code) : "no code");
  }
}
