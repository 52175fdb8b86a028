import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { clusterAccess } from "../../../src/kubernetes/cluster-access.ts";

const CANARY = "canary-token-in-a-kubeconfig";

function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-kubeconfig-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "config");
  writeFileSync(file, text);
  return file;
}

function config(user: object): string {
  return JSON.stringify({
    "current-context": "a",
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:1/" } }],
    users: [{ name: "a", user }],
  });
}

const exec = (script: string) => ({
  exec: { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script, CANARY] },
});

test("tokens come from the file, from another one, or from a command", async (t) => {
  const credential = JSON.stringify({ status: { token: "t3" } });
  assert.equal(await clusterAccess(fileOf(t, config({ token: "t1" })), {}).token(), "t1");
  const tokenFile = fileOf(t, "t2\n");
  assert.equal(await clusterAccess(fileOf(t, config({ tokenFile })), {}).token(), "t2");
  writeFileSync(tokenFile, "t2b");
  assert.equal(await clusterAccess(fileOf(t, config(exec(`echo '${credential}'`))), {}).token(), "t3");
});

test("no fault of a kubeconfig or of its command shows what stands there", async (t) => {
  const shown: string[] = [];
  const note = (error: unknown) => shown.push(String(error));
  for (const text of [`token: "${CANARY}\n  x: [`, CANARY, `{"users": "${CANARY}"}`]) {
    assert.throws(
      () => clusterAccess(fileOf(t, text), {}),
      (error) => note(error) > 0,
    );
  }
  for (const script of [`echo ${CANARY}; echo ${CANARY} >&2; exit 3`, `echo ${CANARY}`]) {
    const access = clusterAccess(fileOf(t, config(exec(script))), {});
    await access.token().then(() => assert.fail("there is no token"), note);
  }
  assert.equal(shown.length, 5);
  assert.match(shown[3] ?? "", /The command sh of the kubeconfig gives no token: it ended with 3\./);
  assert.ok(!shown.join().includes(CANARY), shown.join("\n"));
});

test("a file that the kubeconfig names and that is not there is told of", (t) => {
  const file = fileOf(t, config({ "client-certificate": "none.pem" }));
  assert.throws(() => clusterAccess(file, {}), /it names a file that cannot be read: .*none\.pem/);
});
