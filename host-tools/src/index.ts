// What other packages use of the host tools.

export { balance, entriesOf, type ToldEntry } from "./audit/book";
export { speechBar } from "./commands/open";
export { ExitCode, ToolError } from "./errors";
export type { PlacedPacket, Timeline } from "./open/conversation";
export { type OpenedConversation, openConversations } from "./open/open";
export { makePhrase, phrasesOfSet } from "./phrases/make-phrase";
export { type ListedPhrase, readPhraseList } from "./phrases/phrase-list";
export { type BadgePlan, type ProvisionedBadge, provisionBadge } from "./provision/badge";
export { type Registration, registryFile } from "./provision/registration";
export { writeConsent, writePhrases, writeTuning } from "./provision/settings";
export { RelayDoor } from "./relay-door";
export type { WatchEvent } from "./relay-watch";
export { createIdentity, readIdentities } from "./vault/identity";
export { Vault } from "./vault/vault";
