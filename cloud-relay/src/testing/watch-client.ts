// A client that watches a badge's chunks at the operator's door, for tests: a real socket, line by line.
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { createInterface, type Interface } from "node:readline";
import { type ChunkRecord, decodeRecord } from "@salestag/protocol/host";

/** See the top of the file. */
export class WatchClient {
  private readonly lines: AsyncIterator<string>;

  private constructor(
    private readonly asked: ClientRequest,
    readonly answer: IncomingMessage,
  ) {
    asked.on("error", () => undefined); // the answer says it as well
    answer.on("error", () => undefined);
    const reader: Interface = createInterface({ input: answer });
    this.lines = reader[Symbol.asyncIterator]();
  }

  /** Asks, and waits for the answer's head. */
  static async open(url: string, token: string, method = "GET"): Promise<WatchClient> {
    const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
    const asked = request(url, { method, headers, agent: false }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return new WatchClient(asked, answer);
  }

  get status(): number | undefined {
    return this.answer.statusCode;
  }

  /** @returns the next line's value; undefined when the answer has ended: `answer.complete` says whether it was cut */
  async next(): Promise<unknown> {
    try {
      const { value, done } = await this.lines.next();
      return done ? undefined : JSON.parse(value);
    } catch (cause) {
      if (this.answer.complete || !this.answer.destroyed) throw cause;
      return undefined;
    }
  }

  /** @returns the next chunk @throws Error when another line comes */
  async nextRecord(): Promise<ChunkRecord> {
    const said = (await this.next()) as { record?: string } | undefined;
    if (typeof said?.record !== "string")
      throw new Error(`a chunk was expected, ${JSON.stringify(said)} came`);
    return decodeRecord(Buffer.from(said.record, "base64"));
  }

  /** @returns indexes of the next chunks */
  async nextIndexes(count: number): Promise<number[]> {
    const indexes: number[] = [];
    while (indexes.length < count) indexes.push((await this.nextRecord()).index);
    return indexes;
  }

  /** Hangs up. */
  close(): void {
    this.asked.destroy();
  }
}
