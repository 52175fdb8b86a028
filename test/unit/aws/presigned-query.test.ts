import assert from "node:assert/strict";
import { test } from "node:test";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import { presignedUrl } from "../../../src/aws/presigned-query.ts";

const DATE = new Date("2026-11-30T18:05:07.890Z");
const PLACE = {
  host: "kafka.eu-west-1.amazonaws.com",
  region: "eu-west-1",
  service: "kafka-cluster",
  query: { Action: "kafka-cluster:Connect" },
  expiresIn: 900,
};

for (const sessionToken of [undefined, "a/token+of=a (session)!*'~"]) {
  test(`signs a URL as AWS's own signer does, ${sessionToken === undefined ? "without" : "with"} a session`, async () => {
    const credentials = {
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
      ...(sessionToken === undefined ? {} : { sessionToken }),
    };
    const signer = new SignatureV4({
      service: PLACE.service,
      region: PLACE.region,
      credentials,
      sha256: Sha256,
      applyChecksum: false,
    });
    const signed = await signer.presign(
      {
        method: "GET",
        protocol: "https:",
        hostname: PLACE.host,
        path: "/",
        headers: { host: PLACE.host },
        query: PLACE.query,
      },
      { expiresIn: PLACE.expiresIn, signingDate: DATE },
    );
    const url = new URL(presignedUrl(PLACE, credentials, DATE.getTime()));
    assert.deepEqual(Object.fromEntries(url.searchParams), signed.query);
    assert.equal(`${url.origin}${url.pathname}`, `https://${PLACE.host}/`);
  });
}
