// Languages as transcribers name them ("english", "en", "EN-us"), made BCP 47.

/** What Whisper knows, as in its tokenizer; the names come from Node's own tables. */
const CODES =
  "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln " +
  "lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh";
/** Whisper's names that differ from Node's. */
const OTHER_NAMES: Record<string, string> = {
  castilian: "es",
  flemish: "nl",
  javanese: "jv",
  jw: "jv",
  mandarin: "zh",
  moldavian: "ro",
  myanmar: "my",
  nynorsk: "nn",
  panjabi: "pa",
  pushto: "ps",
  sinhala: "si",
  sinhalese: "si",
  tagalog: "tl",
  valencian: "ca",
};
/** Nobody says which: BCP 47, section 4.1. */
export const UNKNOWN_LANGUAGE = "und";

const names = new Intl.DisplayNames(["en"], { type: "language" });
const CODE_OF_NAME = new Map([
  ...CODES.split(" ").map((code) => [names.of(code)?.toLowerCase() ?? code, code] as const),
  ...Object.entries(OTHER_NAMES),
]);

/** @returns the language's tag, such as `en` or `pt-BR`; `und` for what is none */
export function languageTagOf(name: string): string {
  const known = CODE_OF_NAME.get(name.trim().toLowerCase());
  if (known !== undefined) return known;
  if (!/^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i.test(name.trim())) return UNKNOWN_LANGUAGE;
  try {
    return Intl.getCanonicalLocales(name.trim().replaceAll("_", "-"))[0];
  } catch {
    return UNKNOWN_LANGUAGE;
  }
}
