import type { Connector } from "../ports/connector.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import { hasCredentials } from "../secrets/url-secrets.ts";
import { type DestinationAddress, type DestinationFault, parseDestination } from "./destination-address.ts";
import { parseFunctionName } from "./function-name.ts";

/** Where the end of an asynchronous event is told, taken apart. `uri` is its one spelling. */
export type AsyncDestination =
  | { readonly kind: "function"; readonly uri: string; readonly name: string; readonly qualifier: string }
  | { readonly kind: "bus"; readonly uri: string; readonly bus: string }
  | { readonly kind: "http"; readonly uri: string }
  | { readonly kind: "stored"; readonly uri: string; readonly address: DestinationAddress };

const BUS = /^arn:aws[a-zA-Z0-9-]*:events:[a-z0-9-]+:\d{12}:event-bus\/([/.\-_A-Za-z0-9]{1,256})$/;

/** Reads a destination of asynchronous events; relative paths start from `folder`. */
export function parseAsyncDestination(
  text: string,
  folder: string,
  brought: readonly DestinationKind[] = [],
): AsyncDestination | DestinationFault {
  if (/^https?:/i.test(text)) return parseUrl(text);
  if (/^arn:[^:]*:lambda:/.test(text)) {
    const named = parseFunctionName(text);
    if (named === undefined) return fault("The text is not the ARN of a function", FUNCTION_FORM);
    return { kind: "function", uri: text, name: named.name, qualifier: named.qualifier ?? "" };
  }
  if (/^arn:[^:]*:events:/.test(text)) {
    const [, bus] = BUS.exec(text) ?? [];
    if (bus === undefined) return fault("The text is not the ARN of an event bus", BUS_FORM);
    return { kind: "bus", uri: text, bus };
  }
  const address = parseDestination(text, folder, [], brought);
  if (address.kind !== "fault") return { kind: "stored", uri: address.uri, address };
  return {
    ...address,
    remedy: `${address.remedy}, or ${FUNCTION_FORM}, ${BUS_FORM} or an http or https URL`,
  };
}

/** Kinds of such destinations beside AWS's: those of connectors, and those that the operator brings. */
export function eventDestinationKinds(
  connectors: readonly Connector[],
  brought: readonly DestinationKind[] = [],
): readonly DestinationKind[] {
  const own = connectors.flatMap((connector) =>
    connector.offers === "stream" ? (connector.eventDestination ?? []) : [],
  );
  return [...own, ...brought];
}

const FUNCTION_FORM = "arn:aws:lambda:REGION:ACCOUNT:function:NAME";
const BUS_FORM = "arn:aws:events:REGION:ACCOUNT:event-bus/NAME";

function parseUrl(text: string): AsyncDestination | DestinationFault {
  const url = URL.parse(text);
  if (url === null) return fault("The text is not a URL", "an http or https URL");
  if (!hasCredentials(url)) return { kind: "http", uri: url.href };
  return fault("The URL holds a user name or password, which would show up in logs", "a URL without them");
}

function fault(message: string, form: string): DestinationFault {
  return { kind: "fault", message, remedy: `Give ${form}` };
}
