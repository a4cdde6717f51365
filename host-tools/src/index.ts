// What other packages use of the host tools.

export type { PlacedPacket, Timeline } from "@salestag/protocol/team";
export { createIdentity, ExitCode, readIdentities, ToolError, Vault } from "@salestag/protocol/team";
export { balance, entriesOf, type ToldEntry } from "./audit/book";
export { speechBar } from "./commands/open";
export { readBoard } from "./flash/board-config";
export { type Bundle, readBundle } from "./flash/bundle";
export { type Chip, openChip } from "./flash/chip";
export { type Flashed, flashBadge } from "./flash/flash";
export { makeStore, readStore, replaceProgram, type Store } from "./flash/fstor";
export type { Images } from "./flash/images";
export { readTrust, type Trust } from "./flash/signing";
export { type OpenedConversation, openConversations } from "./open/open";
export { makePhrase, phrasesOfSet } from "./phrases/make-phrase";
export { type ListedPhrase, readPhraseList } from "./phrases/phrase-list";
export { type BadgePlan, type ProvisionedBadge, provisionBadge } from "./provision/badge";
export { type Registration, registryFile } from "./provision/registration";
export { writeConsent, writePhrases, writeTuning } from "./provision/settings";
export { RelayDoor } from "./relay-door";
export type { WatchEvent } from "./relay-watch";
