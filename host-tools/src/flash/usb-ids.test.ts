// USB ids of serial ports, in a tree like the one under /sys.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { useFolder } from "@salestag/protocol/testing";
import { usbIdsOf } from "./usb-ids";

describe("usb ids", () => {
  const folder = useFolder();
  const path = (...names: string[]) => join(folder(), ...names);

  /** A port whose device lies so deep below a USB device. */
  function port(name: string, device: string[]): string {
    mkdirSync(path("devices", ...device), { recursive: true });
    writeFileSync(path("devices", "1-1", "idVendor"), "303a\n");
    writeFileSync(path("devices", "1-1", "idProduct"), "1001\n");
    mkdirSync(path("class", name), { recursive: true });
    symlinkSync(path("devices", ...device), path("class", name, "device"));
    writeFileSync(path(name), "");
    return path(name);
  }
  const IDS = { usbVendorId: 0x303a, usbProductId: 0x1001 };

  it("usb ids: a chip with USB of its own (ttyACM), a converter (ttyUSB), a link to one", () => {
    const acm = port("ttyACM0", ["1-1", "1-1:1.0"]);
    assert.deepEqual(usbIdsOf(acm, path("class")), IDS);
    assert.deepEqual(usbIdsOf(port("ttyUSB0", ["1-1", "1-1:1.0", "ttyUSB0"]), path("class")), IDS);
    symlinkSync(acm, path("badge"));
    assert.deepEqual(usbIdsOf(path("badge"), path("class")), IDS);
  });

  it("usb ids: nothing for a port of another kind, or none", () => {
    mkdirSync(path("class"));
    assert.deepEqual(usbIdsOf(path("nowhere"), path("class")), {});
    assert.deepEqual(usbIdsOf(folder(), path("class")), {});
    port("ttyACM0", ["1-1", "1-1:1.0"]);
    writeFileSync(path("devices", "1-1", "idVendor"), "none");
    assert.deepEqual(usbIdsOf(path("ttyACM0"), path("class")), {});
  });
});
