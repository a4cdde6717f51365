// Small things that many routes speak of.
import { type Static, Type } from "typebox";
import { TAG_KINDS, type TagKind } from "../model/taxonomy";

export const Id = Type.String({
  format: "uuid",
  pattern: "^[0-9a-f-]{36}$",
  description: "A UUID in lower case.",
});
export const IdOrNull = Type.Union([Id, Type.Null()]);
export const BadgeId = Type.String({ pattern: "^[0-9a-f]{16}$", description: "16 hexadecimal digits." });
/** ISO 8601 with its zone, years 1000 to 9999. */
export const Time = Type.String({ format: "date-time", pattern: "^[1-9]", maxLength: 40 });
export const TimeOrNull = Type.Union([Time, Type.Null()]);
export const TextOrNull = Type.Union([Type.String(), Type.Null()]);
export const Name = Type.String({ minLength: 1, maxLength: 200 });
export const Note = Type.String({ maxLength: 10_000 });
export const Ms = Type.Integer({ description: "ms after the conversation's start" });

/** @returns one of these texts */
export function oneOf<Name extends string>(names: readonly Name[], options: { description?: string } = {}) {
  return Type.Unsafe<Name>({ type: "string", enum: [...names], ...options });
}

export const Outcome = oneOf(["open", "won", "lost"] as const);
export const Kind = oneOf<TagKind>(TAG_KINDS, { description: "Kind of tag." });
export const SpeakerName = oneOf(["rep", "other", "unsure"] as const, {
  description: "`rep`: the wearer. `other`: whom the rep talks with. `unsure`: the badge could not tell.",
});

/** @returns an object that has these properties and no others */
export function exactly<Properties extends Record<string, Type.TSchema>>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

export const ById = exactly({ id: Id });

/** Someone or something with a name. */
export const Named = exactly({ id: Id, name: Type.String() });
export type Named = Static<typeof Named>;
export const NamedOrNull = Type.Union([Named, Type.Null()]);

/** @returns the moment as the API tells it */
export function timeText(time: Date): string {
  return time.toISOString();
}

export function timeTextOrNull(time: Date | null): string | null {
  return time === null ? null : timeText(time);
}

/** @returns both together, or null where there is none */
export function named(id: string | null, name: string | null): Named | null {
  return id === null ? null : { id, name: name ?? "" };
}
