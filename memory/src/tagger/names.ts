// Which words are somebody's or something's own name: they have a capital where a sentence does not begin.

/** Capitals that are no company's: days, months, feasts, languages, titles, first names that are common in English. */
const NOT_A_COMPANY = new Set(
  (
    "i monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays " +
    "january february march april may june july august september october november december christmas easter thanksgiving " +
    "english spanish french german italian american europe european god lord jesus mr mrs ms miss dr sir madam ma'am mom mum dad " +
    "father mother grandma grandpa hoa tv pdf usb hd led ac hvac ceo cfo wifi wi fi ok okay id pos id sms dvr gps diy " +
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
 * @param first it begins a sentence, so that its capital tells nothing
 */
export function isName(written: string, part: string, first: boolean): boolean {
  if (NOT_A_COMPANY.has(part) || !/^["'(]?\p{Lu}/u.test(written)) return false;
  if (written.startsWith("I'") || written.startsWith("I’")) return false;
  return !first || /^\p{Lu}\p{Ll}+\p{Lu}|^\p{Lu}{2,}/u.test(written);
}
