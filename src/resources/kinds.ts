/** The kind of the rows of event source mappings; each is named by its UUID. */
export const MAPPING_KIND = "mapping";
