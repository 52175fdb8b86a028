import { runtimeFamily } from "../model/runtime-name.ts";
import { gapIn, propertyOf, type TemplateContext } from "./context.ts";
import { causeText } from "./remarks.ts";
import type { StackResource } from "./stack-resources.ts";
import { list, memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";

/** Why a function is left out, with all that calls it. */
export interface LeftOut {
  readonly kind: "left out";
  readonly at: TemplateValue | undefined;
  readonly message: string;
  readonly remedy: string;
}

export interface FunctionCode {
  readonly kind: "code";
  readonly runtime: TemplateValue;
  readonly handler: TemplateValue | undefined;
  readonly code: TemplateValue;
}

/** File that code in a template is kept as, on Lambda too. */
const INLINE_FILES: Readonly<Record<string, string>> = { nodejs: "index.js", python: "index.py" };

const PACKAGE_REMEDY = "Give the folder or zip of its code here, relative to the template";

/** What runs a function, and its code: a folder or zip beside the template, or text of the template itself. */
export function functionCode(
  properties: TemplateValue | undefined,
  context: TemplateContext,
): FunctionCode | LeftOut {
  const packageType = propertyOf(context, properties, "PackageType");
  const isImage = textOf(packageType) === "Image" || memberOf(properties, "ImageUri") !== undefined;
  if (isImage)
    return leftOut(
      packageType ?? memberOf(properties, "ImageUri"),
      "Its code is an image",
      "Run it behind HTTP, or name a folder",
    );
  const runtime = propertyOf(context, properties, "Runtime");
  const name = textOf(runtime);
  if (runtime === undefined || name === undefined)
    return leftOut(
      runtime ?? properties,
      "Nothing says what runs it",
      "Give Runtime, such as nodejs24.x or python3.13",
    );
  const family = runtimeFamily(name);
  if (family === undefined)
    return leftOut(
      runtime,
      `Millrace has no client for the runtime ${name}`,
      "Declare it in a manifest, with a command",
    );
  const handler = propertyOf(context, properties, "Handler");
  const code = codePlace(properties, INLINE_FILES[family], context);
  if (code.kind === "left out") return code;
  return { kind: "code", runtime, handler: family === "provided" ? undefined : handler, code };
}

function codePlace(
  properties: TemplateValue | undefined,
  inlineFile: string | undefined,
  context: TemplateContext,
): TemplateValue | LeftOut {
  const given = memberOf(properties, "CodeUri") ?? memberOf(properties, "Code");
  const code = given && context.stack.resolve(given);
  const text = propertyOf(context, properties, "InlineCode") ?? memberOf(code, "ZipFile");
  if (text !== undefined) return inlinePlace(text, inlineFile, context);
  // Where sam build takes code from that is not named.
  const place = code ?? scalar(".", properties?.place ?? { line: 1, column: 1 });
  return localPlace(place, "Its code") ?? place;
}

/** `undefined`: it is a path. */
function localPlace(place: TemplateValue, noun: string): LeftOut | undefined {
  const gap = gapIn(place);
  const cause = gap && causeText(gap.cause);
  if (gap !== undefined)
    return leftOut(gap, `${noun} is not known: ${cause?.message ?? "see above"}`, PACKAGE_REMEDY);
  const path = textOf(place);
  if (path === undefined || /^(?:s3|https?):\/\//.test(path))
    return leftOut(place, `${noun} is in S3`, PACKAGE_REMEDY);
  return undefined;
}

function inlinePlace(
  text: TemplateValue,
  file: string | undefined,
  context: TemplateContext,
): TemplateValue | LeftOut {
  const code = textOf(text);
  const gap = gapIn(text);
  if (code === undefined || gap !== undefined)
    return leftOut(gap ?? text, "Its code is not known", PACKAGE_REMEDY);
  if (file === undefined) return leftOut(text, "This runtime has no code in a template", PACKAGE_REMEDY);
  return scalar(context.inlineCode(file, code), text.place);
}

/** Layers that stand in the template, by their folders; others are left out and told. */
export function functionLayers(
  resource: Pick<StackResource, "name">,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): TemplateValue | undefined {
  const layers = propertyOf(context, properties, "Layers");
  if (layers === undefined) return undefined;
  const items = layers.kind === "list" ? layers.items : [layers];
  const kept = items.flatMap((item) => layerPlace(item, resource, context) ?? []);
  return kept.length === 0 ? undefined : list(kept, layers.place);
}

function layerPlace(
  item: TemplateValue,
  { name }: Pick<StackResource, "name">,
  context: TemplateContext,
): TemplateValue | undefined {
  const text = textOf(item) ?? "";
  const layer = text.startsWith("layer:") ? context.stack.resource(text.slice("layer:".length)) : undefined;
  const content =
    layer && (memberOf(layer.properties, "ContentUri") ?? memberOf(layer.properties, "Content"));
  const place = content && context.stack.resolve(content);
  const missing = place === undefined ? undefined : localPlace(place, "The layer");
  if (place !== undefined && missing === undefined) return { ...place, place: item.place };
  const gap = gapIn(item);
  const shown = gap?.cause.kind === "made" ? gap.cause.name : (layer?.name ?? text);
  const message = `The layer ${shown} is not in this template, and is left out`;
  context.findings.remark(
    item.place,
    `${name}.Layers`,
    message,
    "Give its folder or zip as a layer of the template",
  );
  return undefined;
}

function leftOut(at: TemplateValue | undefined, message: string, remedy: string): LeftOut {
  return { kind: "left out", at, message, remedy };
}
