/** What one connection sent and got: ids of requests, and of responses, each in its order. */
export interface ConnectionHistory {
  readonly sent: readonly string[];
  /** As the function echoes them; `undefined`: a response without a function. */
  readonly answered: readonly (string | undefined)[];
  /** The client neither hung up nor sent what cannot be read. */
  readonly isPatient: boolean;
}

export interface FrontHistory {
  readonly connections: readonly ConnectionHistory[];
  /** Ids of requests, as the function saw them. */
  readonly executed: readonly string[];
  readonly bytesSeen: readonly number[];
  readonly bytesMax: number;
}

/** Breaches of I44, in sentences: one response per request, bytes within their budget, nothing executed twice. */
export function judgeFront({ connections, executed, bytesSeen, bytesMax }: FrontHistory): readonly string[] {
  const twice = executed.filter((id, index) => executed.indexOf(id) !== index);
  return [
    ...twice.map((id) => `request ${id} was executed twice`),
    ...bytesSeen
      .filter((bytes) => bytes > bytesMax)
      .map((bytes) => `${bytes} of ${bytesMax} bytes were held`),
    ...connections.flatMap(breachesOf),
  ];
}

function breachesOf({ sent, answered, isPatient }: ConnectionHistory): readonly string[] {
  const breaches: string[] = [];
  if (answered.length > sent.length)
    breaches.push(`${sent.length} requests had ${answered.length} responses`);
  for (const [index, id] of answered.entries()) {
    if (id !== undefined && id !== sent[index])
      breaches.push(`request ${sent[index]} had the response to ${id}`);
  }
  if (isPatient && answered.length < sent.length)
    breaches.push(`${sent.length} requests of a patient client had ${answered.length} responses`);
  return breaches;
}
