import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** PEM texts and files of one test cluster, made anew for each. */
export interface KafkaCertificates {
  /** Signed the brokers' and the client's certificates. */
  readonly ca: string;
  /** A CA that has nothing to do with the cluster. */
  readonly strangeCa: string;
  readonly client: { readonly certificate: string; readonly privateKey: string };
  /** The client's key behind the password `keypass`, as PKCS#8. */
  readonly encryptedClientKey: string;
  /** A client certificate of the strange CA. */
  readonly strangeClient: { readonly certificate: string; readonly privateKey: string };
  /** Key and certificate of the brokers in one file, as Kafka's PEM key store wants them. */
  readonly keyStoreFile: string;
  readonly trustStoreFile: string;
}

const run = promisify(execFile);
const CLIENT_KEY_PASSWORD = "keypass";

/** Made with `openssl`, which Node has no counterpart of. */
export async function makeKafkaCertificates(folder: string): Promise<KafkaCertificates> {
  const openssl = (...words: string[]) => run("openssl", words, { cwd: folder });
  const text = (file: string) => readFile(join(folder, file), "utf8");
  const makeCa = (name: string) =>
    openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`],
    );
  const makeSigned = async (name: string, ca: string, extensions: string) => {
    await writeFile(join(folder, `${name}.ext`), extensions);
    await openssl(
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`],
    );
    await openssl(
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-CAcreateserial"],
      ...["-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`],
    );
  };
  await Promise.all([makeCa("cluster-ca"), makeCa("strange-ca")]);
  await makeSigned(
    "broker",
    "cluster-ca",
    "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
  );
  await makeSigned("client", "cluster-ca", "extendedKeyUsage=clientAuth\n");
  await makeSigned("stranger", "strange-ca", "extendedKeyUsage=clientAuth\n");
  await openssl(
    ...[
      "pkcs8",
      "-topk8",
      "-v1",
      "PBE-SHA1-3DES",
      "-in",
      "client.key",
      "-passout",
      `pass:${CLIENT_KEY_PASSWORD}`,
    ],
    ...["-out", "client-encrypted.key"],
  );
  const keyStoreFile = join(folder, "broker-store.pem");
  await writeFile(keyStoreFile, (await text("broker.key")) + (await text("broker.pem")));
  return {
    ca: await text("cluster-ca.pem"),
    strangeCa: await text("strange-ca.pem"),
    client: { certificate: await text("client.pem"), privateKey: await text("client.key") },
    encryptedClientKey: await text("client-encrypted.key"),
    strangeClient: { certificate: await text("stranger.pem"), privateKey: await text("stranger.key") },
    keyStoreFile,
    trustStoreFile: join(folder, "cluster-ca.pem"),
  };
}
