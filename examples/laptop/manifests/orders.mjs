/** Says what it got; change it and restart millrace. */
export const handler = async (event) => {
  const count = event.Records?.length ?? Object.values(event.records).flat().length;
  console.log(`${event.Records?.[0]?.eventSource ?? event.eventSource}: ${count} records`);
  return { batchItemFailures: [] };
};
