import assert from "node:assert/strict";
import { test } from "node:test";
import { zipOf } from "../../fixtures/zip.ts";
import {
  ARN,
  CODE,
  CREATE,
  FUNCTIONS,
  FunctionApi,
  OTHER_CODE,
  ROLE,
  sha256Of,
  zipWith,
} from "./function-api.ts";

const PARCELS = `${FUNCTIONS}/parcels`;
const CONFIGURATION = `${PARCELS}/configuration`;

test("a function is made from a zip, and is active once all processes know it", async (t) => {
  const api = await FunctionApi.start(t);
  const { status, body } = await api.create({
    Description: "counts parcels",
    Timeout: 30,
    MemorySize: 256,
    Environment: { Variables: { STAGE: "test" } },
    Tags: { team: "post" },
  });
  assert.equal(status, 201);
  const { RevisionId, LastModified, ...shape } = body;
  assert.match(String(RevisionId), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.match(String(LastModified), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.deepEqual(shape, {
    FunctionName: "parcels",
    FunctionArn: ARN,
    Runtime: "nodejs24.x",
    Role: ROLE,
    Handler: "index.handler",
    CodeSize: CODE.length,
    CodeSha256: sha256Of(CODE),
    Description: "counts parcels",
    Timeout: 30,
    MemorySize: 256,
    Version: "$LATEST",
    Environment: { Variables: { STAGE: "test" } },
    TracingConfig: { Mode: "PassThrough" },
    State: "Pending",
    StateReason: "The function is being created.",
    StateReasonCode: "Creating",
    LastUpdateStatus: "Successful",
    PackageType: "Zip",
    Architectures: ["x86_64"],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/parcels" },
  });
  await api.settle();
  const { Configuration, Tags, Code } = (await api.ask("GET", PARCELS)).body;
  const { State: _state, StateReason: _reason, StateReasonCode: _code, ...rest } = body;
  assert.deepEqual(Configuration, { ...rest, State: "Active" });
  assert.deepEqual([Tags, Code], [{ team: "post" }, { RepositoryType: "millrace" }]);
  assert.deepEqual((await api.ask("GET", CONFIGURATION)).body, Configuration);
});

test("what is left out has Lambda's defaults", async (t) => {
  const api = await FunctionApi.start(t);
  const { body } = await api.create();
  assert.deepEqual(
    [body["Timeout"], body["MemorySize"], body["Description"], body["Environment"]],
    [3, 128, "", undefined],
  );
});

test("a function that is just made can be called, and a mapping of it be made", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  assert.equal((await api.ask("POST", `${PARCELS}/invocations`, {})).status, 200);
  const mapping = {
    FunctionName: "parcels",
    EventSourceArn: "arn:aws:local:eu-west-1:123456789012:stream/orders",
    StartingPosition: "LATEST",
  };
  assert.equal((await api.ask("POST", "/2015-03-31/event-source-mappings", mapping)).status, 202);
});

test("a name that is taken is refused, by a manifest's function, too", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  for (const FunctionName of ["parcels", "orders"]) {
    const { status, fault, text } = await api.create({ FunctionName });
    assert.deepEqual(
      [status, fault, text],
      [409, "ResourceConflictException", `Function already exist: ${FunctionName}`],
    );
  }
});

test("of two who make a function of one name at once, one does", async (t) => {
  const api = await FunctionApi.start(t);
  const answers = await Promise.all([api.create({ Description: "a" }), api.create({ Description: "b" })]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
});

test("the API takes any form of a name, but no version in it", async (t) => {
  const api = await FunctionApi.start(t);
  const { status, body } = await api.create({ FunctionName: ARN });
  assert.deepEqual([status, body["FunctionName"]], [201, "parcels"]);
  assert.equal((await api.ask("GET", `${FUNCTIONS}/${encodeURIComponent(ARN)}`)).status, 200);
  assert.equal((await api.create({ FunctionName: "parcels:1" })).status, 400);
  const { fault } = await api.create({ FunctionName: "no blanks" });
  assert.equal(fault, "ValidationException");
});

test("code is replaced, and its hash and size with it, until when all processes have the new", async (t) => {
  const api = await FunctionApi.start(t);
  await api.world.start("b");
  const before = (await api.create()).body;
  await api.settle();
  const ZipFile = OTHER_CODE.toString("base64");
  const { status, body } = await api.ask("PUT", `${PARCELS}/code`, { ZipFile });
  assert.equal(status, 200);
  assert.deepEqual([body["CodeSha256"], body["CodeSize"]], [sha256Of(OTHER_CODE), OTHER_CODE.length]);
  assert.notEqual(body["RevisionId"], before["RevisionId"]);
  assert.deepEqual([body["State"], body["LastUpdateStatus"]], ["Active", "InProgress"]);
  await api.settle();
  const { LastUpdateStatus, RevisionId } = (await api.ask("GET", CONFIGURATION)).body;
  assert.deepEqual([LastUpdateStatus, RevisionId], ["Successful", body["RevisionId"]]);
  assert.equal(api.archives.length, 2);
});

test("a dry run changes nothing", async (t) => {
  const api = await FunctionApi.start(t);
  const before = (await api.create()).body;
  const ZipFile = OTHER_CODE.toString("base64");
  const { status } = await api.ask("PUT", `${PARCELS}/code`, { ZipFile, DryRun: true });
  assert.equal(status, 200);
  const { CodeSha256, RevisionId } = (await api.ask("GET", CONFIGURATION)).body;
  assert.deepEqual([CodeSha256, RevisionId], [before["CodeSha256"], before["RevisionId"]]);
  const { fault } = await api.ask("PUT", `${PARCELS}/code`, { ZipFile: "UEs=", DryRun: true });
  assert.equal(fault, "InvalidParameterValueException");
});

test("an update of the configuration changes what it names, and nothing else", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Environment: { Variables: { A: "1", B: "2" } }, Description: "old", Timeout: 9 });
  const update = { Description: "", MemorySize: 1024, Environment: { Variables: { C: "3" } } };
  const { status, body } = await api.ask("PUT", CONFIGURATION, update);
  assert.equal(status, 200);
  const { Description, MemorySize, Timeout, Environment, Handler } = body;
  assert.deepEqual(
    [Description, MemorySize, Timeout, Environment, Handler],
    ["", 1024, 9, { Variables: { C: "3" } }, "index.handler"],
  );
  const cleared = await api.ask("PUT", CONFIGURATION, { Environment: { Variables: {} } });
  assert.equal("Environment" in cleared.body, false);
});

test("who saw something older changes nothing", async (t) => {
  const api = await FunctionApi.start(t);
  const { RevisionId } = (await api.create()).body;
  const changes: readonly (readonly ["PUT" | "POST", string, object])[] = [
    ["PUT", CONFIGURATION, { Timeout: 4 }],
    ["PUT", `${PARCELS}/code`, { ZipFile: OTHER_CODE.toString("base64") }],
    ["POST", `${PARCELS}/versions`, {}],
  ];
  await api.ask("PUT", CONFIGURATION, { Timeout: 7, RevisionId });
  for (const [method, url, change] of changes) {
    const { status, fault, text } = await api.ask(method, url, { ...change, RevisionId });
    assert.deepEqual([status, fault], [412, "PreconditionFailedException"], url);
    assert.equal(
      text,
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    );
  }
  const { Timeout, CodeSha256 } = (await api.ask("GET", CONFIGURATION)).body;
  assert.deepEqual([Timeout, CodeSha256], [7, sha256Of(CODE)]);
});

test("a deleted function is gone, and its name free", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  assert.equal((await api.ask("DELETE", PARCELS)).status, 204);
  const missing = [404, "ResourceNotFoundException", `Function not found: ${ARN}:$LATEST`];
  for (const [method, url] of [
    ["GET", PARCELS],
    ["GET", CONFIGURATION],
    ["DELETE", PARCELS],
    ["POST", `${PARCELS}/invocations`],
  ] as const) {
    const { status, fault, text } = await api.ask(method, url);
    assert.deepEqual([status, fault, text], missing, `${method} ${url}`);
  }
  assert.equal((await api.create()).status, 201);
});

test("lists are in the order of names, page by page", async (t) => {
  const api = await FunctionApi.start(t);
  for (const FunctionName of ["zebra", "ant"]) await api.create({ FunctionName, Publish: true });
  const names: unknown[] = [];
  let marker = "";
  do {
    const url = `${FUNCTIONS}?MaxItems=2${marker === "" ? "" : `&Marker=${marker}`}`;
    const { Functions, NextMarker = "" } = (await api.ask("GET", url)).body;
    assert(Array.isArray(Functions) && Functions.length <= 2);
    names.push(...Functions.map(({ FunctionName }) => FunctionName));
    marker = String(NextMarker);
  } while (marker !== "");
  assert.deepEqual(names, ["ant", "orders", "other", "slow", "versioned", "zebra"]);
  const { Functions } = (await api.ask("GET", `${FUNCTIONS}?FunctionVersion=ALL`)).body;
  assert(Array.isArray(Functions));
  const all = Functions.map(({ FunctionArn }) => String(FunctionArn).split(":").slice(6).join(":"));
  assert.deepEqual(all.slice(0, 3), ["ant:$LATEST", "ant:1", "orders:$LATEST"]);
});

test("tags are put and taken away, and change no revision of the code", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Tags: { a: "1" } });
  const url = `/2017-03-31/tags/${encodeURIComponent(ARN)}`;
  assert.equal((await api.ask("POST", url, { Tags: { b: "2", c: "3" } })).status, 204);
  assert.equal((await api.ask("DELETE", `${url}?tagKeys=a&tagKeys=c`)).status, 204);
  assert.deepEqual((await api.ask("GET", url)).body, { Tags: { b: "2" } });
  assert.deepEqual((await api.ask("GET", PARCELS)).body["Tags"], { b: "2" });
  const { text } = await api.ask("POST", `${url}%3A1`, { Tags: { b: "2" } });
  assert.match(text, /Tags on function aliases and versions are not supported/);
});

test("concurrency that the owner reserves is shown, and is no drift", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const url = "/2017-10-31/functions/parcels/concurrency";
  const put = await api.ask("PUT", url, { ReservedConcurrentExecutions: 5 });
  assert.deepEqual([put.status, put.body], [200, { ReservedConcurrentExecutions: 5 }]);
  const { Concurrency } = (await api.ask("GET", PARCELS)).body;
  assert.deepEqual(Concurrency, { ReservedConcurrentExecutions: 5 });
  assert.deepEqual((await api.ask("GET", "/millrace/v1/drift")).body, { drift: [] });
  assert.equal((await api.ask("DELETE", url)).status, 204);
  assert.equal("Concurrency" in (await api.ask("GET", PARCELS)).body, false);
});

test("account settings count functions and the code that they name", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  const { AccountUsage } = (await api.ask("GET", "/2016-08-19/account-settings")).body;
  await api.settle();
  assert.deepEqual(AccountUsage, { TotalCodeSize: 2 * CODE.length, FunctionCount: 5 });
});

test("a manifest's function is not changed by the API, which says whose it is and how it changes hands", async (t) => {
  const api = await FunctionApi.start(t);
  const orders = `${FUNCTIONS}/orders`;
  for (const [method, url, body] of [
    ["PUT", `${orders}/code`, { ZipFile: CODE.toString("base64") }],
    ["PUT", `${orders}/configuration`, { Timeout: 5 }],
    ["POST", `${orders}/versions`, {}],
    ["POST", `${orders}/aliases`, { Name: "live", FunctionVersion: "$LATEST" }],
    ["DELETE", orders, undefined],
  ] as const) {
    const { status, fault, text } = await api.ask(method, url, body);
    assert.deepEqual([status, fault], [400, "InvalidParameterValueException"], url);
    assert.match(text, /declared by the manifest set default.*millrace adopt function\/orders --to api/);
  }
});

test("a function that was handed over and calls a URL has settings of its own, and no code", async (t) => {
  const api = await FunctionApi.start(t);
  await api.ask("POST", "/millrace/v1/adopt", { name: "orders", to: "api" });
  const orders = `${FUNCTIONS}/orders`;
  assert.equal((await api.ask("PUT", `${orders}/configuration`, { Timeout: 5 })).status, 200);
  const code = await api.ask("PUT", `${orders}/code`, { ZipFile: CODE.toString("base64") });
  assert.match(code.text, /The function orders has no code of its own: it is called as http/);
  const memory = await api.ask("PUT", `${orders}/configuration`, { MemorySize: 512 });
  assert.match(memory.text, /has no code of its own, and no memoryMb/);
});

test("a millrace that has no place for code takes none, and says how it would", async (t) => {
  const api = await FunctionApi.start(t, { hasPackages: false });
  const { status, text } = await api.create();
  assert.equal(status, 400);
  assert.match(text, /--packages dir:PATH.* or s3:BUCKET\/PREFIX/);
});

test("packages are needed by functions and by versions, as long as these are there", async (t) => {
  const api = await FunctionApi.start(t);
  const needed = async () => (await api.plane.functionControls.functions.neededPackages()).size;
  await api.create({ Publish: true });
  const extra = zipWith("exports.handler = 3;").toString("base64");
  await api.ask("PUT", `${PARCELS}/code`, { ZipFile: extra });
  await api.ask("PUT", `${PARCELS}/code`, { ZipFile: OTHER_CODE.toString("base64") });
  assert.deepEqual([api.archives.length, await needed()], [3, 2]);
  await api.ask("DELETE", PARCELS);
  assert.deepEqual([api.archives.length, await needed()], [3, 0]);
});

test("what a create leaves out or says wrong is refused in AWS's words", async (t) => {
  const api = await FunctionApi.start(t);
  const { Handler: _handler, ...withoutHandler } = CREATE;
  const { text } = await api.ask("POST", FUNCTIONS, withoutHandler);
  assert.equal(
    text,
    "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
  );
  const both = await api.create({ Timeout: 901, MemorySize: 64 });
  assert.deepEqual([both.status, both.fault], [400, "ValidationException"]);
  assert.equal(
    both.text,
    "2 validation errors detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128; Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
  );
  const typed = await api.create({ Timeout: "3" });
  assert.deepEqual(
    [typed.fault, typed.text],
    ["SerializationException", "STRING_VALUE can not be converted to an Integer"],
  );
  const runtime = await api.create({ Runtime: "cobol85" });
  assert.match(
    runtime.text,
    /^Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[/,
  );
  assert.equal((await api.create({ Runtime: "provided.al2023", Handler: undefined })).status, 201);
});

test("what cannot be done is refused by its name, with a way out", async (t) => {
  const api = await FunctionApi.start(t);
  const refused: readonly (readonly [object, RegExp])[] = [
    [
      { Layers: ["arn:aws:lambda:eu-west-1:1:layer:x:1"] },
      /^Layers is not supported.*Put the layer's files into the function's zip/,
    ],
    [{ PackageType: "Image" }, /^PackageType Image is not supported.*Give a zip/],
    [{ Code: { S3Bucket: "b", S3Key: "k" } }, /^S3Bucket is not supported.*send it as ZipFile/],
    [{ Code: { ImageUri: "x" } }, /^ImageUri is not supported/],
    [{ Code: {} }, /ZipFile/],
    [{ VpcConfig: { SubnetIds: ["s"] } }, /^VpcConfig is not supported/],
    [{ DeadLetterConfig: { TargetArn: "arn:aws:s3:::bucket" } }, /^The provided dead letter target ARN/],
    [{ SnapStart: { ApplyOn: "PublishedVersions" } }, /^SnapStart is not supported.*provisioned concurrency/],
    [{ LoggingConfig: { LogFormat: "JSON" } }, /^LoggingConfig is not supported/],
    [{ FileSystemConfigs: [{ Arn: "a", LocalMountPath: "/mnt/a" }] }, /^FileSystemConfigs is not supported/],
    [{ KMSKeyArn: "arn:aws:kms:eu-west-1:1:key/k" }, /^KMSKeyArn is not supported/],
  ];
  for (const [change, pattern] of refused) {
    const { status, fault, text } = await api.create(change);
    assert.deepEqual([status, fault], [400, "InvalidParameterValueException"], text);
    assert.match(text, pattern);
  }
  const nothing = {
    VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
    KMSKeyArn: "",
    Layers: [],
    DeadLetterConfig: {},
  };
  assert.equal(
    (await api.create({ ...nothing, SnapStart: { ApplyOn: "None" }, EphemeralStorage: { Size: 1024 } }))
      .status,
    201,
  );
});

test("a hostile archive is refused before anything is kept", async (t) => {
  const api = await FunctionApi.start(t);
  for (const [archive, pattern] of [
    [zipOf([{ name: "../slip.js", content: "x" }]), /entry "\.\.\/slip\.js": its name leads out/],
    [zipOf([{ name: "index.js", content: "x", saidCrc: 1 }]), /its checksum is wrong/],
    [Buffer.from("no zip"), /cannot be read as a zip/],
  ] as const) {
    const { fault, text } = await api.create({ Code: { ZipFile: archive.toString("base64") } });
    assert.equal(fault, "InvalidParameterValueException");
    assert.match(
      text,
      /^Could not unzip uploaded file\. Please check your file, then try to upload again\. /,
    );
    assert.match(text, pattern);
  }
  const { text } = await api.create({ Code: { ZipFile: "not base64!" } });
  assert.match(text, /ZipFile is to be the base64 of a zip/);
  assert.equal((await api.ask("GET", PARCELS)).status, 404);
});

test("every other operation of Lambda is answered by its name", async (t) => {
  const api = await FunctionApi.start(t);
  for (const [method, url, name] of [
    ["POST", "/2018-10-31/layers/x/versions", "PublishLayerVersion"],
    ["GET", "/2025-11-30/functions/parcels/function-scaling-config", "GetFunctionScalingConfig"],
  ] as const) {
    const { status, text } = await api.ask(method, url, {});
    assert.equal(status, 501);
    assert.match(text, new RegExp(`does not serve the operation ${name} `));
  }
});
