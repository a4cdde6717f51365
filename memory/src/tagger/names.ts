// Which words are somebody's or something's own name: they have a capital where a sentence does not begin.

/** Words that begin sentences and stand before names. */
const FIRST_WORDS = new Set(
  "the a an my our your his her is are was were do does did has have had with from at in on by and but or so if when what who where why how no not yes well oh hi hello hey ask tell call ring see let come then that this there it he she they we you for to even old young poor maybe".split(
    " ",
  ),
);
const TIMES = new Set(
  (
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays " +
    "january february march april may june july august september october november december christmas easter thanksgiving"
  ).split(" "),
);
/** Capitals that are no company's: days, months, feasts, languages, titles, first names that are common in English. */
const NOT_A_COMPANY = new Set(
  (
    "i monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays " +
    "january february march april may june july august september october november december christmas easter thanksgiving " +
    "english spanish french german italian american europe european god lord jesus mr mrs ms miss dr sir madam ma'am mom mum dad " +
    "father mother grandma grandpa hoa tv pdf usb hd led ac hvac ceo cfo hr earl ok wifi wi fi ok okay id pos id sms dvr gps diy " +
    "mike john mary anna anne tom tim bob bill jim joe sam dan dave david steve mark paul peter pete linda susan karen lisa laura sarah sara emma maria marie " +
    "rosa ray walt frank fred george harry jack james jane jenny jessica julia kate kelly ken kevin larry leo lucy luke martin max nancy nick nina " +
    "oliver pat rachel richard rick rob robert roger ron ruth scott sean sharon simon sophie stan stephen ted theresa tina tony victor walter " +
    "alan alex alice amy andrea andrew andy angela barbara ben beth brian carl carla carlos carol chris christine claire craig daniel debbie dennis diane donna doug ed eddie elena ellen eric " +
    "erin gary gloria grace greg hannah heather helen henry ian irene jason jeff jen joan joel jose josh joyce juan judy keith kim kyle lena lou maggie marcus marco marta matt megan michael miguel monica natalie neil nicole olivia omar oscar pam patricia " +
    "phil priya ralph raj rita rosie russ ryan sandra shirley stella sue terry thomas tracy vera wendy will"
  ).split(" "),
);

/**
 * @param written the word as it stands in the transcript
 * @param part folded; one part of it
 * @param first it begins a sentence, so that its capital tells nothing, except with another one after it
 * @param next word, as it is written
 */
export function isName(written: string, part: string, first: boolean, next = ""): boolean {
  if (NOT_A_COMPANY.has(part) || !/^["'(]?\p{Lu}/u.test(written)) return false;
  if (written.startsWith("I'") || written.startsWith("I’")) return false;
  if (first && /^\p{Lu}\p{Ll}/u.test(next) && !isPlain(next) && !/[.,!?:;]$/.test(written))
    return !isPlain(written);
  return !first || /^\p{Lu}\p{Ll}+\p{Lu}|^\p{Lu}{2,}/u.test(written);
}

/** @returns true for a word with a capital that is neither "I" nor a day or a month */
export function isCapital(written: string, part: string): boolean {
  return /^["'(]?\p{Lu}\p{Ll}/u.test(written) && !written.startsWith("I'") && !TIMES.has(part);
}

/** Days, months and first names: they make no company's name of the word before. */
function isPlain(written: string): boolean {
  const plain = written.toLowerCase().replace(/[^\p{L}].*$/u, "");
  return NOT_A_COMPANY.has(plain) || FIRST_WORDS.has(plain);
}
