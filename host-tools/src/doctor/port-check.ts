// The doctor's look at the port: is there one, may it be opened, does anybody else have it.
import { readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { messageOf } from "@salestag/protocol/team";
import type { PortError } from "../usb/byte-line";
import { listPorts, placesHere } from "../usb/port-list";
import { portUser } from "../usb/port-user";
import { type Finding, failed } from "./finding";

const RULE_FILE = new URL("../../data/70-salestag.rules", import.meta.url);
const RULE_PLACE = "/etc/udev/rules.d/70-salestag.rules";
const CHECK = "port";

/** @returns the udev rule that lets the person at the computer use badges */
export function udevRule(): string {
  return readFileSync(RULE_FILE, "utf8");
}

/** @returns what to say when no badge is plugged in */
export async function noBadge(): Promise<Finding> {
  const places = placesHere();
  const chip = (await listPorts(places)).find(({ kind }) => kind === "bootloader");
  if (chip !== undefined)
    return failed(
      CHECK,
      `${chip.path} is an ESP32-S3 that runs its boot loader, or no DeviceScript runtime`,
      "put runtime and program on it with 'salestag flash'",
    );
  const looked = places.linkFolders.length === 0 ? "" : `, and none is in ${places.linkFolders.join(", ")}`;
  return failed(
    CHECK,
    `no badge is plugged in${looked}`,
    "plug it in, switch it on, try another cable (some carry no data); 'salestag ports --all' lists every port",
  );
}

/** @returns what to say of a port that cannot be opened */
export function portRefused(path: string, cause: PortError): Finding {
  if (cause.trouble === "not allowed") return notAllowed(path);
  if (cause.trouble === "in use") return inUse(path);
  if (cause.trouble === "absent")
    return failed(
      CHECK,
      `there is no ${path}`,
      "plug the badge in and switch it on; 'salestag ports' lists what is there",
    );
  const said = cause.cause === undefined ? cause.message : messageOf(cause.cause);
  return failed(CHECK, `${path} cannot be opened (${said})`, "pull the cable and plug it in again");
}

function inUse(path: string): Finding {
  const user = portUser(path);
  const who = user === undefined ? "another program" : `${user.name} (process ${user.pid})`;
  return failed(CHECK, `${who} uses ${path}`, "end that program, then ask again");
}

function notAllowed(path: string): Finding {
  if (process.platform !== "linux")
    return failed(CHECK, `you may not open ${path}`, "ask who administers this computer");
  const { username } = userInfo();
  return failed(
    CHECK,
    `you may not open ${path} (${ownerOf(path)})`,
    `install the rule that lets who sits here use badges, and plug the badge in again; or join the group dialout ('sudo usermod -aG dialout ${username}') and log in again`,
    [
      `salestag doctor --udev-rule | sudo tee ${RULE_PLACE}`,
      "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=tty",
    ],
  );
}

function ownerOf(path: string): string {
  try {
    const { uid, gid, mode } = statSync(path);
    return `it belongs to user ${uid} and group ${gid}, mode ${(mode & 0o777).toString(8)}`;
  } catch (cause) {
    return messageOf(cause);
  }
}
