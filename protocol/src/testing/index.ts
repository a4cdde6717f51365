// For tests of any package: folders, programs, servers, teams with a vault, conversations, a reader of Ogg files.
export * from "./conversation.fixture";
export * from "./ogg-reader";
export * from "./servers";
export * from "./team.fixture";
export * from "./tools";
