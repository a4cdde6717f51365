// The doctor's question to the relay's door: does the relay know the badge, and is it connected?
import { clauseOf } from "@salestag/protocol/team";
import type { RegisteredBadge } from "../relay-door";
import { type Finding, failed, ok, skipped } from "./finding";

/** As much of the relay's door as is needed here. */
export interface Door {
  listBadges(): Promise<RegisteredBadge[]>;
}

/**
 * @param badge its id; undefined when it did not tell it
 * @param online what the badge says about its connection; undefined when it says nothing
 */
export async function checkDoor(
  door: Door,
  badge: string | undefined,
  online: boolean | undefined,
): Promise<Finding> {
  const check = "relay's door";
  let badges: RegisteredBadge[];
  try {
    badges = await door.listBadges();
  } catch (cause) {
    const says = clauseOf(cause);
    return failed(check, says, "start the relay, and check its 'admin' section and the token");
  }
  if (badge === undefined) return skipped(check, "the badge did not tell its id", "mend what is above first");
  const known = badges.find((one) => one.badge === badge);
  if (known === undefined)
    return failed(
      check,
      `the relay does not know badge ${badge}`,
      "provision it again with --relay-door or --registry of this relay",
    );
  if (known.connected) return ok(check, `the relay knows the badge (${known.label}), and it is connected`);
  const says = `the relay knows the badge (${known.label}), and it is not connected`;
  const elsewhere = "the badge is connected to another relay: provision it again with this one's address";
  return failed(check, says, online === true ? elsewhere : "see the line on the relay");
}
