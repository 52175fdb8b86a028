import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { handlerPlace } from "../../../../src/functions/runtime/handler-place.ts";
import { folderWith } from "../../manifests/manifest-samples.ts";

test("a handler is found from the root of the code, and by a whole path wherever it is", (t) => {
  const root = folderWith(t, { "index.mjs": "" });
  const layer = folderWith(t, { "wrap.cjs": "" });
  mkdirSync(join(root, "deep"));
  writeFileSync(join(root, "deep", "fn.ts"), "");
  assert.deepEqual(handlerPlace(root, "index.handler"), {
    path: join(root, "index.mjs"),
    exportName: "handler",
  });
  assert.deepEqual(handlerPlace(root, "./deep/fn.a.b"), {
    path: join(root, "deep/fn.ts"),
    exportName: "a.b",
  });
  assert.deepEqual(handlerPlace(root, `${layer}/wrap.handler`), {
    path: join(layer, "wrap.cjs"),
    exportName: "handler",
  });
});

test("names that are none are told as Lambda does", (t) => {
  const root = folderWith(t, { "index.mjs": "" });
  const refused = (handler: string) => {
    try {
      return handlerPlace(root, handler).path;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : "";
    }
  };
  for (const handler of ["", "index", "index.", ".handler"])
    assert.equal(refused(handler), "Runtime.MalformedHandlerName: Bad handler");
  for (const handler of ["../code/index.handler", "index..handler", "deep/../index.handler"])
    assert.match(
      refused(handler),
      /^Runtime\.MalformedHandlerName: '.*' is not a valid handler name\. Use absolute/,
    );
  assert.equal(
    refused("/nowhere/index.handler"),
    "Runtime.ImportModuleError: Error: Cannot find module '/nowhere/index'",
  );
});
