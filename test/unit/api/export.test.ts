import assert from "node:assert/strict";
import { test } from "node:test";
import { CREATE, FUNCTIONS, FunctionApi } from "./function-api.ts";

test("an export says what the API has set that no manifest can say, one by one", async (t) => {
  const api = await FunctionApi.start(t);
  await api.ask("POST", FUNCTIONS, CREATE);
  await api.ask("POST", `${FUNCTIONS}/parcels/versions`, {});
  const config = { MaximumRetryAttempts: 1 };
  const at = (date: string, what: string) => `/${date}/functions/parcels/${what}?Qualifier=1`;
  const put = await api.ask("PUT", at("2019-09-25", "event-invoke-config"), config);
  assert.equal(put.status, 200, put.text);
  const provisioned = { ProvisionedConcurrentExecutions: 2 };
  const ready = await api.ask("PUT", at("2019-09-30", "provisioned-concurrency"), provisioned);
  assert.equal(ready.status, 202, ready.text);
  const { body } = await api.ask("GET", "/millrace/v1/export");
  assert.deepEqual(body["unsaid"], [
    {
      kind: "Function",
      name: "parcels",
      message: "No manifest says how calls of its version 1 are tried again, which is left out",
    },
    {
      kind: "Function",
      name: "parcels",
      message: "No manifest says its provisioned concurrency of 1 (2), which is left out",
    },
  ]);
});
