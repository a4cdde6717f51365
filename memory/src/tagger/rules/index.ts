// All rules of the local tagger.
import { MOODS } from "./moods";
import { OBJECTIONS } from "./objections";
import { OUTCOMES } from "./outcomes";
import { PEOPLE } from "./people";
import { PRESSURE } from "./pressure";
import type { Rule } from "./rule";
import { SIGNALS } from "./signals";

export const RULES: readonly Rule[] = [...OBJECTIONS, ...SIGNALS, ...PEOPLE, ...OUTCOMES, ...PRESSURE, ...MOODS];
