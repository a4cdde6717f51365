// A client of the memory's API, typed by its OpenAPI document (`npm run build` makes the types), and a reader of its live events.
import createFetchClient, { type Client } from "openapi-fetch";
import type { paths } from "../../dist/openapi";

export type { components, paths } from "../../dist/openapi";
export * from "./live";

export type MemoryClient = Client<paths>;

/** Where the memory is, and who asks. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:7790`. */
  url: string;
  /** A JSON Web Token, asked for at each request. */
  token: () => string | Promise<string>;
}

/** @returns a client; its answers are either `data` or `error`, a problem of RFC 9457 */
export function memoryClient({ url, token }: ClientOptions): MemoryClient {
  const client = createFetchClient<paths>({ baseUrl: url });
  client.use({
    async onRequest({ request }) {
      request.headers.set("authorization", `Bearer ${await token()}`);
      return request;
    },
  });
  return client;
}
