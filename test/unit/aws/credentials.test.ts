import assert from "node:assert/strict";
import { test } from "node:test";
import { type AwsCredentials, RotatingCredentials } from "../../../src/aws/credentials.ts";

const MINUTE_MS = 60_000;

function keys(name: string, expiresMs?: number): AwsCredentials {
  const pair = { accessKeyId: name, secretAccessKey: "secret" };
  return expiresMs === undefined ? pair : { ...pair, expiration: new Date(expiresMs) };
}

/** A place that gives credentials, and the clock of the host. */
function givePlace(...given: (AwsCredentials | Error)[]) {
  const place = { nowMs: 1_000_000, reads: 0 };
  const read = async () => {
    const next = given[Math.min(place.reads++, given.length - 1)];
    if (next === undefined || next instanceof Error) throw next ?? new Error("none");
    return next;
  };
  return { place, credentials: new RotatingCredentials(read, () => place.nowMs) };
}

test("credentials that have time left are read once", async () => {
  const { place, credentials } = givePlace(keys("a", 1_000_000 + 60 * MINUTE_MS));
  await credentials.get();
  place.nowMs += 50 * MINUTE_MS;
  assert.equal((await credentials.get()).accessKeyId, "a");
  assert.equal(place.reads, 1);
});

test("credentials are read anew before they end, while the old ones serve on", async () => {
  const { place, credentials } = givePlace(keys("a", 1_000_000 + 60 * MINUTE_MS), keys("b"));
  await credentials.get();
  place.nowMs += 56 * MINUTE_MS;
  assert.equal((await credentials.get()).accessKeyId, "a");
  assert.equal((await credentials.get()).accessKeyId, "b");
});

test("credentials that name no end are read anew from time to time", async () => {
  const { place, credentials } = givePlace(keys("a"), keys("b"));
  await credentials.get();
  place.nowMs += 6 * MINUTE_MS;
  await credentials.get();
  assert.equal((await credentials.get()).accessKeyId, "b");
});

test("a place that cannot be read does not take what is known away", async () => {
  const { place, credentials } = givePlace(keys("a"), new Error("file is being written"), keys("b"));
  await credentials.get();
  place.nowMs += 6 * MINUTE_MS;
  await credentials.get();
  assert.equal((await credentials.get()).accessKeyId, "a");
  place.nowMs += 6 * MINUTE_MS;
  await credentials.get();
  assert.equal((await credentials.get()).accessKeyId, "b");
});

test("credentials that this host's clock takes for expired serve on: the service says whether they are", async () => {
  const { place, credentials } = givePlace(keys("a", 999_000));
  await credentials.get();
  for (let call = 0; call < 10; call++) assert.equal((await credentials.get()).accessKeyId, "a");
  assert.equal(place.reads, 1, "and are not read with every call");
  place.nowMs += 2_000;
  assert.equal((await credentials.get()).accessKeyId, "a");
  assert.equal(place.reads, 2);
});

test("credentials that were refused are read anew, and only others are worth another try", async () => {
  const { place, credentials } = givePlace(keys("a"), keys("a"), keys("b"));
  const used = await credentials.get();
  place.nowMs += 2_000;
  assert.equal(await credentials.refused(used), false);
  assert.equal(await credentials.refused(used), false, "not read again within a second");
  assert.equal(place.reads, 2);
  place.nowMs += 2_000;
  assert.equal(await credentials.refused(used), true);
  assert.equal((await credentials.get()).accessKeyId, "b");
});

test("a call that was refused with credentials that another call has replaced by now reads nothing", async () => {
  const { place, credentials } = givePlace(keys("a"), keys("b"));
  const used = await credentials.get();
  place.nowMs += 2_000;
  await credentials.refused(used);
  assert.equal(await credentials.refused(used), true);
  assert.equal(place.reads, 2);
});

test("credentials that are not there at first are found later", async () => {
  const { credentials } = givePlace(new Error("no role yet"), keys("a"));
  await assert.rejects(credentials.get(), /no role yet/);
  assert.equal((await credentials.get()).accessKeyId, "a");
});
