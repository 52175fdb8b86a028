import type { ListenPlace } from "./adapters.ts";
import type { Command } from "./command.ts";
import { usageError } from "./parse-flags.ts";

/** What a flag names: `:8080` is the port of all addresses. @throws MillraceError ERR_MILLRACE_CONFIG */
export function listenPlace(flag: string, text: string, command: Command): ListenPlace {
  const [, host = "", port = ""] = /^(\[[0-9a-f:]+\]|[\w.-]*):(\d{1,5})$/i.exec(text) ?? [];
  if (port === "" || Number(port) > 65_535)
    throw usageError(`--${flag} is ${JSON.stringify(text)}. Give HOST:PORT.`, command);
  return { host: host === "" ? "0.0.0.0" : host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
