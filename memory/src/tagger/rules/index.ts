// All rules of the local tagger.
import { AUTHORITY } from "./authority";
import { INTEREST } from "./interest";
import { MOODS } from "./moods";
import { NEED } from "./need";
import { NEXT_STEP } from "./next-step";
import { OUTCOMES } from "./outcomes";
import { PEOPLE } from "./people";
import { PRESSURE } from "./pressure";
import { PRICING } from "./pricing";
import { READINESS } from "./readiness";
import type { Rule } from "./rule";
import { TIMING } from "./timing";
import { URGENCY } from "./urgency";

export const RULES: readonly Rule[] = [
  ...[...PRICING, ...TIMING, ...AUTHORITY, ...NEED],
  ...[...URGENCY, ...INTEREST, ...READINESS],
  ...PEOPLE,
  ...[...NEXT_STEP, ...OUTCOMES],
  ...PRESSURE,
  ...MOODS,
];
