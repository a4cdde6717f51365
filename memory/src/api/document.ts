// What the OpenAPI document says besides the routes.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifySchema } from "fastify";

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

/** For the document: what has a default may be left out of a request; routes always get it. */
export function asAsked({ schema = {}, url }: { schema?: FastifySchema; url: string }) {
  const { querystring, body } = schema;
  return {
    schema: {
      ...schema,
      ...(querystring !== undefined && { querystring: relaxed(querystring) }),
      ...(body !== undefined && { body: relaxed(body) }),
    },
    url,
  };
}

function relaxed(schema: unknown): unknown {
  const { properties, required, ...rest } = schema as {
    properties?: Record<string, { default?: unknown }>;
    required?: string[];
  };
  if (properties === undefined || required === undefined) return schema;
  return { ...rest, properties, required: required.filter((name) => properties[name].default === undefined) };
}
