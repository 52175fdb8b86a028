import { invalid } from "../../control/functions/function-faults.ts";
import { ApiFault } from "../wire-fault.ts";

/** AWS's: of a zip that comes in a request. */
const ZIP_BYTES_MAX = 52_428_800;
/** The same as base64, with what else a request says. */
export const CODE_REQUEST_BYTES_MAX = 70_167_211;

/** The bytes of an archive that a request brings. @throws ControlFault, ApiFault */
export function readArchive(code: Readonly<Record<string, unknown>>): Uint8Array {
  for (const member of ["S3Bucket", "S3Key", "S3ObjectVersion"]) {
    if (code[member] === undefined || code[member] === null || code[member] === "") continue;
    throw invalid(
      `${member} is not supported by millrace: code in somebody's bucket is not read. Fetch the object and send it as ZipFile, or name its path as code in a manifest.`,
    );
  }
  if (code["ImageUri"] !== undefined && code["ImageUri"] !== null) {
    throw invalid(
      "ImageUri is not supported by millrace: container images are not run. Send the code as ZipFile, or run the image beside millrace and call it by http.",
    );
  }
  const zip = code["ZipFile"];
  if (zip === undefined || zip === null) throw invalid("Please provide a source for function code: ZipFile.");
  const archive = typeof zip === "string" ? decoded(zip) : undefined;
  if (archive === undefined)
    throw invalid(
      "ZipFile is to be the base64 of a zip. AWS's tools encode it: --zip-file fileb://code.zip.",
    );
  if (archive.length === 0) throw invalid("Uploaded file must be a non-empty zip");
  if (archive.length <= ZIP_BYTES_MAX) return archive;
  throw new ApiFault(
    "RequestTooLargeException",
    `The zip has ${archive.length} bytes, and ${ZIP_BYTES_MAX} are the most that a request takes. Leave out what the function does not need, or name its path as code in a manifest.`,
  );
}

/** `undefined`: it is no base64. Decoding passes over what is none, and has fewer bytes then. */
function decoded(text: string): Buffer | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === Math.floor(((text.length - padding) * 3) / 4) ? bytes : undefined;
}
