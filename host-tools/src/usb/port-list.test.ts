import { strict as assert } from "node:assert";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode } from "@salestag/protocol/team";
import { toolError, useFolder } from "@salestag/protocol/testing";
import { PortError, refused } from "./byte-line";
import { listPorts, type PortPlaces, portFolders } from "./port-list";
import { type PortChange, watchPorts } from "./port-watch";
import { resolveBadge } from "./resolve-badge";

const BADGE_USB = {
  idVendor: "303A\n",
  idProduct: "80c4\n",
  serial: "JDA1B2C3D4E5F6\n",
  manufacturer: "Acme\n",
};
const BOOTLOADER_USB = { idVendor: "303a", idProduct: "1001", serial: "F4:12:FA:00:00:01" };
const OTHER_USB = { idVendor: "0403", idProduct: "6001", serial: "A50285BI", product: "FT232R USB UART" };

/** Puts a USB serial port into a tree like /sys, as the kernel does: a link to the port's folder below the device's. */
function plugIn(root: string, name: string, usb: Record<string, string>): void {
  const device = join(root, "sys/devices/pci0/usb1", `1-${name}`);
  // A CDC port hangs on its interface, a converter has a folder of its own in between.
  const own = name.startsWith("ttyUSB") ? join(`1-${name}:1.0`, name) : `1-${name}:1.0`;
  mkdirSync(join(device, own, "tty", name), { recursive: true });
  for (const [attribute, text] of Object.entries(usb)) writeFileSync(join(device, attribute), text);
  symlinkSync("../..", join(device, own, "tty", name, "device"));
  mkdirSync(join(root, "sys/class/tty"), { recursive: true });
  symlinkSync(join(device, own, "tty", name), join(root, "sys/class/tty", name));
  mkdirSync(join(root, "dev"), { recursive: true });
  writeFileSync(join(root, "dev", name), "");
}

function pullOut(root: string, name: string): void {
  for (const path of ["sys/class/tty", "dev"]) rmSync(join(root, path, name));
}

describe("port list", () => {
  const folder = useFolder();
  const places = (...linkFolders: string[]): PortPlaces => ({
    platform: "linux",
    root: folder(),
    linkFolders,
  });

  it("ports: badge, boot loader and others are told apart by their USB ids (ttyACM, ttyUSB, no USB port)", async () => {
    plugIn(folder(), "ttyACM10", BADGE_USB);
    plugIn(folder(), "ttyACM2", BOOTLOADER_USB);
    plugIn(folder(), "ttyUSB0", OTHER_USB);
    plugIn(folder(), "ttyUSB1", { ...OTHER_USB, serial: "JD0102030405FF" });
    mkdirSync(join(folder(), "sys/class/tty/ttyS0"));
    mkdirSync(join(folder(), "sys/class/tty/ttyACM3")); // it has just been unplugged
    const ports = await listPorts(places());
    const dev = (name: string) => join(folder(), "dev", name);
    assert.deepEqual(
      ports.map(({ path, kind }) => [path, kind]),
      [
        [dev("ttyACM2"), "bootloader"],
        [dev("ttyACM3"), "other"],
        [dev("ttyACM10"), "badge"],
        [dev("ttyUSB0"), "other"],
        [dev("ttyUSB1"), "badge"],
      ],
    );
    const { vendorId, productId, serialNumber, manufacturer, product } = ports[2];
    assert.deepEqual(
      { vendorId, productId, serialNumber, manufacturer, product },
      {
        vendorId: "303a",
        productId: "80c4",
        serialNumber: "JDA1B2C3D4E5F6",
        manufacturer: "Acme",
        product: undefined,
      },
    );
    assert.equal(ports[3].product, "FT232R USB UART");
  });

  it("ports: a machine without serial ports has none", async () => {
    assert.deepEqual(await listPorts(places(join(folder(), "nowhere"))), []);
  });

  it("SALESTAG_PORTS: links to terminals are badges; other files, links to nothing and to files are not", async () => {
    symlinkSync("/dev/null", join(folder(), "badge1"));
    symlinkSync("/dev/pts/999999", join(folder(), "gone"));
    writeFileSync(join(folder(), "file"), "");
    symlinkSync(join(folder(), "file"), join(folder(), "link-to-file"));
    const ports = await listPorts(places(folder()));
    assert.deepEqual(
      ports.map(({ path, kind }) => [path, kind]),
      [[join(folder(), "badge1"), "badge"]],
    );
  });

  it("SALESTAG_PORTS: folders are separated as in PATH (Linux, Windows, empty, unset)", () => {
    assert.deepEqual(portFolders({ SALESTAG_PORTS: "/a:/b c::" }, "linux"), ["/a", "/b c"]);
    assert.deepEqual(portFolders({ SALESTAG_PORTS: "C:\\a;D:\\b" }, "win32"), ["C:\\a", "D:\\b"]);
    assert.deepEqual(portFolders({ SALESTAG_PORTS: "" }, "linux"), []);
    assert.deepEqual(portFolders({}, "linux"), []);
  });

  it("--badge: left out, the only badge is meant; none and several are named (exit 5, exit 2)", async () => {
    assert.equal(await resolveBadge("/dev/ttyACM7", places()), "/dev/ttyACM7");
    await assert.rejects(
      resolveBadge(undefined, places(join(folder(), "ports"))),
      toolError(ExitCode.Badge, /no badge is plugged in and none is in .*ports; plug one in/),
    );
    plugIn(folder(), "ttyACM0", BOOTLOADER_USB);
    plugIn(folder(), "ttyACM1", BADGE_USB);
    assert.equal(await resolveBadge(undefined, places()), join(folder(), "dev/ttyACM1"));
    plugIn(folder(), "ttyACM2", BADGE_USB);
    await assert.rejects(
      resolveBadge(undefined, places()),
      toolError(
        ExitCode.Usage,
        /2 badges are plugged in \(.*ttyACM1, .*ttyACM2\); say which one with --badge/,
      ),
    );
  });

  it("watch: what is there comes first, then what comes and goes, and one plugged in again as both", async () => {
    plugIn(folder(), "ttyACM0", BADGE_USB);
    const links = join(folder(), "links");
    mkdirSync(links);
    const end = new AbortController();
    const changes = watchPorts(end.signal, places(links));
    const next = async () => {
      const { change, port } = (await changes.next()).value as PortChange;
      return [change, port.path.slice(folder().length + 1)];
    };
    assert.deepEqual(await next(), ["plugged", "dev/ttyACM0"]);
    symlinkSync("/dev/null", join(links, "badge1"));
    assert.deepEqual(await next(), ["plugged", "links/badge1"]);
    pullOut(folder(), "ttyACM0");
    assert.deepEqual(await next(), ["unplugged", "dev/ttyACM0"]);
    rmSync(join(links, "badge1"));
    symlinkSync("/dev/zero", join(links, "badge1"));
    assert.deepEqual(
      [await next(), await next()],
      [
        ["unplugged", "links/badge1"],
        ["plugged", "links/badge1"],
      ],
    );
    end.abort();
    assert.equal((await changes.next()).done, true);
  });
});

describe("port errors", () => {
  const cases = [
    ["Error: Permission denied, cannot open /dev/ttyACM0", "not allowed", /salestag doctor/],
    ["Error Resource temporarily unavailable Cannot lock port", "in use", /another program/],
    ["Error: No such file or directory, cannot open /dev/ttyACM0", "absent", /no such port/],
    ["Opening COM3: Access denied", "not allowed", /salestag doctor/],
    ["Error: Input/output error, cannot open /dev/ttyACM0", "refused", /Input\/output error/],
  ] as const;
  for (const [text, trouble, words] of cases)
    it(`port error: the binding's words tell what is wrong (${trouble}: ${text})`, () => {
      const error = refused("/dev/ttyACM0", new Error(text));
      assert.ok(error instanceof PortError);
      assert.equal(error.trouble, trouble);
      toolError(ExitCode.Badge, words)(error);
    });
});
