import assert from "node:assert/strict";
import { test } from "node:test";
import { readCreateMembers, readUpdateMembers } from "../../../src/api/mapping-members.ts";
import { mappingShape } from "../../../src/api/mapping-shape.ts";
import { ControlWorld } from "../control/control-world.ts";
import { CONTEXT, SOURCE_ARN } from "../manifests/manifest-samples.ts";

const REFUSED = [
  { Enrichment: "customers" },
  { EnrichmentParameters: { InputTemplate: "a" } },
  { TargetParameters: { InputTemplate: "a" } },
];

for (const members of REFUSED) {
  const [member = ""] = Object.keys(members);
  test(`${member} is refused where a mapping is written by AWS's API`, () => {
    const message = `${member} is no parameter of an event source mapping on AWS: give it in a manifest.`;
    for (const read of [readCreateMembers, readUpdateMembers])
      assert.throws(() => read({ FunctionName: "orders", ...members }, CONTEXT.connectors), { message });
  });
}

test("an update by AWS's API keeps the enrichment that its answers do not show", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const enriched = {
    functionName: "orders",
    eventSourceArn: SOURCE_ARN,
    startingPosition: "LATEST",
    enrichment: "orders",
    targetParameters: { inputTemplate: "<$.data.name>" },
  };
  const { resource } = await plane.mappings.create(enriched, true, {});
  await world.quiet();
  const { spec, isEnabled } = readUpdateMembers({ BatchSize: 7 }, CONTEXT.connectors);
  const view = await plane.mappings.update(resource.mapping.uuid, spec, isEnabled);
  const shape = mappingShape(view, plane.place);
  assert.equal(shape["BatchSize"], 7);
  assert.deepEqual(
    Object.keys(shape).filter((name) => /enrich|target|template/i.test(name)),
    [],
  );
  assert.equal(view.resource.spec.enrichment, "orders");
  assert.deepEqual(view.resource.spec.targetParameters, enriched.targetParameters);
});
