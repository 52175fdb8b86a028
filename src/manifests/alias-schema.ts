import { z } from "zod";
import { invokeConfigSpec } from "./async-schema.ts";
import { declaredRollout } from "./rollout-schema.ts";

const versionNumber = z.union([z.int().min(1).max(9_999_999_999), z.string().min(1)]);

export const aliases = z
  .record(
    z.string().regex(/^(?![0-9]+$)[A-Za-z0-9_-]{1,128}$/),
    z
      .strictObject({
        version: versionNumber
          .optional()
          .describe("Version that the alias stands for: a number, or $LATEST. It, or publish, is there."),
        publish: z
          .boolean()
          .optional()
          .describe(
            "true: what the function is, with a copy of its code, is published as its next version whenever these manifests are applied and it has changed; the alias goes to that version. In place of version and of versions.",
          ),
        weights: z
          .record(z.string(), z.number().min(0).max(1))
          .optional()
          .describe(
            "Shares of keys that go to other versions, for example { 3: 0.05 }; together at most 1. All attempts of a batch go to one version.",
          ),
        routing: z
          .enum(["key", "request"])
          .optional()
          .describe(
            "What says which version gets a record while there are several: its key (the default), or chance. Batches have records of one version; without keys chance says it.",
          ),
        eventInvokeConfig: invokeConfigSpec.optional(),
        rollout: declaredRollout.optional(),
      })
      .describe("An alias, for mappings of NAME:ALIAS."),
  )
  .optional()
  .describe("Names of versions.");
