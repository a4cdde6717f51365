// Where the badge's flash chip is: on its board's SPI, or on the Jacdac bus where the runtime knows no pins.
import { hasBoard, openBoardChip } from "../board";
import type { FlashChip } from "./flash-chip";
import { openServiceChip } from "./service-chip";

/** A flash chip that has not answered by then is not there. */
const CHIP_MS_MAX = 5000;

/** @returns undefined when no chip answers; why is logged */
export async function openChip(): Promise<FlashChip | undefined> {
  try {
    if (hasBoard()) return await openBoardChip();
    return await openServiceChip(CHIP_MS_MAX);
  } catch (error) {
    console.warn((error as Error).message);
    return undefined;
  }
}
