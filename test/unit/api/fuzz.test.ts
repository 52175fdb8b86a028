import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzApi } from "../../fuzz/fuzz-api.ts";
import { fuzzHttp } from "../../fuzz/fuzz-http.ts";
import { testCredentials } from "./api-fixture.ts";

test("made-up requests end in an answer, change nothing when they are refused, and store only what is valid", async (t) => {
  const { statuses } = await fuzzApi({ cases: 2_000, seed: 1, credentials: testCredentials(t) });
  const of = (status: number) => statuses.get(status) ?? 0;
  // The requests are worth something only when some of each are accepted and refused.
  for (const status of [200, 202, 204, 400, 403, 404, 409, 413, 415, 421])
    assert(of(status) > 0, `no ${status}: ${JSON.stringify([...statuses])}`);
  assert(of(202) > 80, `few changes: ${JSON.stringify([...statuses])}`);
});

test("made-up bytes on a socket end in an answer or in its end, and the server lives on", async (t) => {
  const { statuses } = await fuzzHttp({ cases: 200, seed: 1, credentials: testCredentials(t) });
  for (const status of [200, 400, 403, 404])
    assert((statuses.get(status) ?? 0) > 0, `no ${status}: ${JSON.stringify([...statuses])}`);
});
