import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { checkedGet } from "../../../src/ingest/sns/checked-get.ts";

/** Each names this machine, or what only this network reaches. */
const OWN: readonly string[] = [
  "127.0.0.1",
  "localhost",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "0x7f.1",
  "2130706433",
  "0.0.0.0",
  "169.254.169.254",
  "[fd00:ec2::254]",
  "10.0.0.1",
  "192.168.1.1",
  "172.16.0.1",
  "100.64.0.1",
  "[64:ff9b::7f00:1]",
];

test("no host that a message names is called in this network", async (t) => {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  for (const host of OWN)
    assert.equal(await checkedGet(new URL(`https://${host}:${port}/a.pem`), false), undefined);
  assert.equal(calls, 0);
  // The operator's own host is called there.
  assert.equal(await checkedGet(new URL(`https://127.0.0.1:${port}/a.pem`), true), undefined);
  assert.equal(calls, 1);
});
