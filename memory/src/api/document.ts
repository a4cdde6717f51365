// What the OpenAPI document says besides the routes.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

type OpenApi = NonNullable<FastifyDynamicSwaggerOptions["openapi"]>;

const ABOUT = `The team's memory of its conversations. Sign in with a JSON Web Token. Whatever shows what was said needs a purpose in the header
\`Salestag-Purpose\`, which the audit log keeps with the ids of the conversations. Times are ISO 8601, or ms after the conversation's start. Errors are RFC 9457.`;

/** @returns the document's frame @param version of the package */
export function document(version: string): OpenApi {
  return {
    openapi: "3.1.0",
    info: {
      title: "SalesTag memory",
      version,
      description: ABOUT,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
    tags: [
      { name: "conversations", description: "What was said, and what it means." },
      { name: "search", description: "Finding what was said." },
      { name: "team", description: "People, badges, customers, places." },
      { name: "privacy", description: "How long things are kept, and who looked." },
      { name: "operation", description: "For whoever runs it." },
    ],
  };
}
