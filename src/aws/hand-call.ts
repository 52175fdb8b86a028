import { abortable, answeredBefore, leanPartsOf, type ProbedRequest, probe } from "./lean-client.ts";
import type { LeanResponse } from "./lean-http.ts";
import { readPath } from "./read-path.ts";

/** One question, in the words of the service and in those of the SDK. */
export interface Question<Command extends { readonly input: object }, Output, Answer> {
  /** JSON, as the command would be sent. */
  readonly body: string;
  command(): Command;
  send(command: Command): Promise<Output>;
  /** Reads an answer with status 200. What it throws is what the call rejects with. */
  read(answer: LeanResponse): Answer;
  /** The same of what the SDK made of an answer. */
  take(output: Output): Answer;
}

/**
 * Calls of one lean client whose answers are read without the SDK (decision 0053). Where a call goes, and what stands
 * in its head, the SDK says once, by a request that is not sent. An answer that is no plain success is the SDK's to
 * read: its errors, its word on clocks and credentials, and another try where that helps, are what they always were.
 */
export class HandCalls {
  readonly #client: object;
  /** By the call's name. */
  readonly #places = new Map<string, ProbedRequest>();

  constructor(client: object) {
    this.#client = client;
  }

  async ask<Command extends { readonly input: object }, Output, Answer>(
    name: string,
    question: Question<Command, Output, Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    if (readPath() === "sdk") {
      return question.take(await question.send(abortable(question.command(), signal)));
    }
    const place = this.#places.get(name) ?? (await this.#learn(name, question, signal));
    const { requestHandler, signer } = leanPartsOf(this.#client);
    const answer = await requestHandler.sendSigned(
      place,
      await signer.headersOf(place, question.body),
      question.body,
      signal,
    );
    if (answer.statusCode === 200) return question.read(answer);
    // The place may be another one by now.
    this.#places.delete(name);
    const command = abortable(question.command(), signal);
    answeredBefore(command, answer);
    return question.take(await question.send(command));
  }

  async #learn<Command extends { readonly input: object }>(
    name: string,
    { command, send }: Pick<Question<Command, unknown, unknown>, "command" | "send">,
    signal: AbortSignal,
  ): Promise<ProbedRequest> {
    const place = await probe(abortable(command(), signal), send);
    this.#places.set(name, place);
    return place;
  }
}
