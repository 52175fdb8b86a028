/**
 * For servers that live as long as a test file: without its second compiler and with its simplest collector the virtual
 * machine spends far less on its own start. What is measured is started without.
 */
export const SHORT_LIVED: readonly string[] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
