/** Says what it got; change it and restart millrace. */
export const handler = async (event) => {
  // By its URL it gets a request, and not records.
  if (event.requestContext !== undefined) return `hello ${event.rawPath}\n`;
  const count = event.Records?.length ?? Object.values(event.records).flat().length;
  console.log(`${event.Records?.[0]?.eventSource ?? event.eventSource}: ${count} records`);
  return { batchItemFailures: [] };
};
