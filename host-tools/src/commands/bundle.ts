// `salestag bundle`: puts runtime, program and board configuration into one signed file, and says what is in one.

import { createFile } from "@salestag/protocol/team";
import type { Command } from "commander";
import { type Bundle, makeBundle, openBundle } from "../flash/bundle";
import { sha256 } from "../flash/images";
import { createSigningKey, readSigningKey } from "../flash/signing";
import { checkDigest, readImages } from "./flash";
import { jsonOr, type Output } from "./output";

interface MakeFlags {
  runtime: string;
  runtimeSha256?: string;
  program: string;
  board: string;
  version: string;
  out: string;
  sign?: string;
  json: boolean;
}

const BUNDLE_MODE = 0o644;

const HELP = `
Without --sign the bundle is taken by 'salestag flash --allow-unsigned' only. The digest of the runtime is in the bundle: whoever
signs it says that this is the runtime to use.

Example:
  salestag bundle make --runtime devicescript-esp32s3-esp32s3_bare-0x0.bin --program firmware/.devicescript/bin/bytecode.devs \\
                       --board badge.board.json --version 1.4.0 --sign team-sign.key --out badge-1.4.0.stb`;

export function addBundle(parent: Command, output: Output): void {
  const bundle = parent
    .command("bundle")
    .description("What goes onto a badge, in one signed file.")
    .addHelpText("after", HELP);
  addMake(bundle, output);
  addShow(bundle, output);
  addKeygen(bundle, output);
}

function addMake(parent: Command, output: Output): void {
  parent
    .command("make", { isDefault: true })
    .description("Make a bundle.")
    .requiredOption("--runtime <file>", "the DeviceScript runtime")
    .option("--runtime-sha256 <hex>", "what the runtime's SHA-256 must be")
    .requiredOption("--program <file>", "the badge program's bytecode")
    .requiredOption("--board <file>", "the board: *.board.json, or its binary form")
    .requiredOption("--version <text>", "of the badge program, such as 1.4.0")
    .requiredOption("--out <file>", "bundle to make; it must not be there yet")
    .option("--sign <file>", "the team's signing key")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async ({ version, out, sign, runtimeSha256, json, ...files }: MakeFlags) => {
      const key = sign === undefined ? undefined : readSigningKey(sign);
      const images = await readImages(files);
      if (runtimeSha256 !== undefined) checkDigest(images.runtime, runtimeSha256);
      createFile(out, makeBundle(version, images, key), BUNDLE_MODE);
      show(output, json, openBundle(out));
    });
}

function addShow(parent: Command, output: Output): void {
  parent
    .command("show <file>")
    .description("Say what is in a bundle. Whether its signer is trusted is not asked.")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", "\nExample:\n  salestag bundle show badge-1.4.0.stb")
    .action((file: string, { json }: { json: boolean }) => show(output, json, openBundle(file)));
}

function addKeygen(parent: Command, output: Output): void {
  parent
    .command("keygen")
    .description("Make the team's key for signing bundles.")
    .requiredOption(
      "--out <file>",
      "private key to make (mode 0600); the public one goes beside it, with .pub",
    )
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", "\nExample:\n  salestag bundle keygen --out team-sign.key")
    .action(({ out, json }: { out: string; json: boolean }) => {
      const { publicPath, signer } = createSigningKey(out);
      jsonOr(output, json, { privateKey: out, publicKey: publicPath, signer: shortened(signer) }, [
        `private  ${out}`,
        `public   ${publicPath}`,
        `signer   ${shortened(signer)}`,
      ]);
      output.notice(
        "Give the public file to everybody who flashes badges; whoever has the private one decides what runs on them.",
      );
    });
}

function show(output: Output, json: boolean, { version, images, signer }: Bundle): void {
  const parts = Object.entries(images).map(([name, image]: [string, Buffer]) => ({
    name,
    lengthBytes: image.length,
    sha256: sha256(image),
  }));
  jsonOr(output, json, { version, signer: signer && shortened(signer), parts }, [
    `version  ${version}`,
    `signer   ${signer === undefined ? "nobody" : shortened(signer)}`,
    ...parts.map((part) => `${part.name.padEnd(8)} ${part.lengthBytes} bytes, SHA-256 ${part.sha256}`),
  ]);
}

/** Enough to tell keys apart at a glance. */
function shortened(signer: string): string {
  return signer.slice(0, 16);
}
