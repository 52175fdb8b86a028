import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { type Environment, readOtlpSettings } from "../../../src/telemetry/otlp/otlp-settings.ts";

test("nothing is traced unless somebody asks for it, and not when somebody asks for none", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
  const table: readonly (readonly [given: string | undefined, env: Environment, url: string | undefined])[] =
    [
      [undefined, {}, undefined],
      [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, undefined],
      [undefined, endpoint, "http://collector:4318/v1/traces"],
      ["off", endpoint, undefined],
      [undefined, { ...endpoint, OTEL_TRACES_EXPORTER: "none" }, undefined],
      [undefined, { ...endpoint, OTEL_SDK_DISABLED: "TRUE" }, undefined],
      ["http://127.0.0.1:4318", endpoint, "http://127.0.0.1:4318/v1/traces"],
      ["http://127.0.0.1:4318/", {}, "http://127.0.0.1:4318/v1/traces"],
      ["https://example.com/otlp", {}, "https://example.com/otlp/v1/traces"],
      ["https://example.com/otlp/v1/traces", {}, "https://example.com/otlp/v1/traces"],
      // The whole address of traces is taken as it is.
      [undefined, { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t:1/x" }, "http://t:1/x"],
      [
        "http://flag:4318",
        { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t:1/x" },
        "http://flag:4318/v1/traces",
      ],
    ];
  for (const [given, env, url] of table) {
    assert.equal(readOtlpSettings(given, env)?.url.href, url, JSON.stringify([given, env]));
  }
});

test("reads OpenTelemetry's samplers by their names", () => {
  const table: readonly (readonly [
    name: string | undefined,
    argument: string | undefined,
    wanted: object,
  ])[] = [
    [undefined, undefined, { followsParent: true, ratio: 1 }],
    ["parentbased_traceidratio", "0.05", { followsParent: true, ratio: 0.05 }],
    ["traceidratio", "0", { followsParent: false, ratio: 0 }],
    ["traceidratio", undefined, { followsParent: false, ratio: 1 }],
    ["always_off", undefined, { followsParent: false, ratio: 0 }],
    ["parentbased_always_off", undefined, { followsParent: true, ratio: 0 }],
  ];
  for (const [name, argument, wanted] of table) {
    const env = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument };
    assert.deepEqual(readOtlpSettings("http://c", env)?.sampling, wanted);
  }
});

test("the traces' own variables go before those of all signals", () => {
  const settings = readOtlpSettings("http://c", {
    OTEL_EXPORTER_OTLP_TIMEOUT: "5",
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "6",
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "none",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=a,team=b",
    OTEL_SERVICE_NAME: "c",
  });
  assert.equal(settings?.timeoutMs, 6);
  assert.equal(settings?.isCompressed, false);
  assert.deepEqual(
    [...(settings?.resource ?? [])],
    [
      ["service.name", "c"],
      ["team", "b"],
    ],
  );
});

test("says that http/protobuf is sent as JSON", () => {
  const [remark] =
    readOtlpSettings("http://c", { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" })?.remarks ?? [];
  assert.match(remark ?? "", /http\/json/);
});

test("refuses what it cannot do, with the name of the setting and never with a secret", () => {
  const table: readonly (readonly [given: string, env: Environment, message: RegExp])[] = [
    ["collector:4318", {}, /^--otlp must begin with http/],
    ["ftp://c", {}, /^--otlp must begin with http/],
    ["http://user:planted-secret@c", {}, /^--otlp holds a user name or password/],
    ["http://c", { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /OTEL_EXPORTER_OTLP_PROTOCOL must be http\/json/],
    ["http://c", { OTEL_EXPORTER_OTLP_HEADERS: "planted-secret" }, /OTEL_EXPORTER_OTLP_HEADERS/],
    ["http://c", { OTEL_EXPORTER_OTLP_HEADERS: "a=planted-secret%0d%0ax: y" }, /no HTTP header may have/],
    ["http://c", { OTEL_EXPORTER_OTLP_HEADERS: "a=planted-secret%zz" }, /percent-encoded/],
    ["http://c", { OTEL_TRACES_SAMPLER: "xray" }, /OTEL_TRACES_SAMPLER must be/],
    ["http://c", { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }, /from 0 to 1/],
    ["http://c", { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "x" }, /from 0 to 1/],
    ["http://c", { OTEL_BSP_MAX_QUEUE_SIZE: "0" }, /OTEL_BSP_MAX_QUEUE_SIZE must be a whole number/],
    ["http://c", { OTEL_EXPORTER_OTLP_COMPRESSION: "br" }, /must be gzip or none/],
  ];
  for (const [given, env, message] of table) {
    assert.throws(
      () => readOtlpSettings(given, env),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_MILLRACE_CONFIG");
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /planted-secret/);
        return true;
      },
      JSON.stringify([given, env]),
    );
  }
});

test("keeps the values of headers out of whatever shows the settings", () => {
  const settings = readOtlpSettings("http://c", { OTEL_EXPORTER_OTLP_HEADERS: "api-key=planted%20secret" });
  assert.equal(settings?.headers[0]?.[1].reveal(), "planted secret");
  assert.doesNotMatch(JSON.stringify(settings) + inspect(settings, { depth: 9 }), /planted/);
});
