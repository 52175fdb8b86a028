let calls = 0;

/** What is global lives as long as the process does: `calls` goes up from call to call. */
export async function handler(event, context) {
  calls += 1;
  console.log("order", event.order);
  return { order: event.order, calls, requestId: context.awsRequestId };
}
