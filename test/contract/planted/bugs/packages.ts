import { type ContractBug, contractBug } from "../contract-bug.ts";

const ZIP = "test/unit/packages/zip.test.ts";
const DIRECTORY = "test/contract/directory-package-store.test.ts";

/** Archives of code, and where they are kept. */
export const PACKAGE_BUGS: readonly ContractBug[] = [
  contractBug(
    "a zip may write beside its folder",
    { file: ZIP, test: "an archive with a name that climbs out of its folder is refused, and told" },
    { at: "a-zip-may-write-beside-its-folder", instead: "" },
  ),
  contractBug(
    "a link of a zip may leave its folder",
    { file: ZIP, test: "an archive with a link that leaves the root is refused, and told" },
    { at: "a-link-of-a-zip-may-leave-its-folder", instead: "" },
  ),
  contractBug(
    "a zip may unpack to anything",
    { file: ZIP, test: "an archive with entries that have too many bytes together is refused, and told" },
    { at: "a-zip-may-unpack-to-anything", instead: "" },
  ),
  contractBug(
    "a zip may be a bomb",
    { file: ZIP, test: "an archive with a bomb is refused, and told" },
    { at: "a-zip-may-be-a-bomb", instead: "if (unpacked >= 0) return;" },
  ),
  contractBug(
    "a damaged package is handed out",
    { file: DIRECTORY, test: "never hands out bytes that were changed" },
    { at: "a-damaged-package-is-handed-out", instead: "if (bytes.length > 0) return;" },
  ),
  contractBug(
    "an earlier layer covers a later",
    {
      file: "test/integration/api/function-packages.test.ts",
      test: "a manifest's function runs from a zip, with layers of a folder and a zip laid one over the other",
    },
    { at: "an-earlier-layer-covers-a-later", instead: "const layerFolders = description.layerFolders;" },
  ),
  contractBug(
    "a package is removed that was put again",
    { file: DIRECTORY, test: "keeps what was put again since nothing needed it" },
    { at: "a-package-is-removed-that-was-put-again", instead: "" },
  ),
];
