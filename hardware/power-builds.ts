// The steps from the runtime as it is to one that lasts a day on a small cell: each changes one thing of the native part and keeps the ones before. What a badge
// program can change is no build but a setting (`uploadEveryMs`) and comes in by what the badge did.
import { AS_IT_IS, type Build } from "./power";

const SEARCH_SELDOM_MS = 300_000;

const SCALED: Build = {
  ...AS_IT_IS,
  name: "+ clock scaled down to 80 MHz while idle (I2S driver's limit)",
  slowMhz: 80,
  scanEveryMs: SEARCH_SELDOM_MS,
};
const ENCODES_KEPT: Build = { ...SCALED, name: "+ Opus only for what is kept", opusOnlyKept: true };
const LISTENS_TO_SOUND: Build = {
  ...ENCODES_KEPT,
  name: "+ network rests in silence (half of the day)",
  networkShare: 0.5,
};
const LEAVES: Build = {
  ...LISTENS_TO_SOUND,
  name: "+ leaves Wi-Fi between uploads",
  leavesNetwork: true,
  scanEveryMs: Number.POSITIVE_INFINITY,
};
const CRYSTAL: Build = { ...LEAVES, name: "+ I2S from the crystal: down to 40 MHz", slowMhz: 40 };
const FAST: Build = { ...CRYSTAL, name: "+ works at 240 MHz", cpuMhz: 240 };
const VECTORS: Build = {
  ...FAST,
  name: "+ network four times as fast (vector unit; a guess)",
  networkSpeedUp: 4,
};

/** In order. The first is what one gets by changing nothing. */
export const BUILDS: Build[] = [
  AS_IT_IS,
  SCALED,
  ENCODES_KEPT,
  LISTENS_TO_SOUND,
  LEAVES,
  CRYSTAL,
  FAST,
  VECTORS,
];

/** All steps but the last, of whose worth nothing is known. */
export const PROPOSED = FAST;
