// Lets one fiber at a time at a chip: who comes takes a ticket and waits until it is called, so nobody is passed over. Plain functions: a class would
// take more of the heap; the driver of the chip on the bus has the same lines in place, as a call for each command would be felt there.
import { sleep } from "@devicescript/core";

const WAIT_MS = 1;

export interface Turns {
  tickets: number;
  called: number;
}

/** Waits until it is the caller's turn, which lasts until `giveTurn`. */
export async function takeTurn(turns: Turns): Promise<void> {
  const ticket = turns.tickets++;
  while (turns.called !== ticket) await sleep(WAIT_MS);
}

export function giveTurn(turns: Turns): void {
  turns.called++;
}
