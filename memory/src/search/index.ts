// Retrieval: hybrid search, one customer over time, answers to objections, similar conversations, and what makes a conversation findable.
export { type AnsweredMoment, type Answers, answersTo, type Objection } from "./answers";
export type { Card, Named } from "./card";
export {
  before,
  type Encounter,
  type Mood,
  type Said,
  type SaidIn,
  type Timeline,
  timeline,
} from "./customer";
export { indexConversation, setDocument } from "./index-conversation";
export type { Passage, SaidTurn } from "./passages";
export {
  BadQuery,
  type Filter,
  HITS_DEFAULT,
  HITS_MAX,
  QUERY_CHARACTERS_MAX,
  type Query,
  type ReadyText,
  readyText,
} from "./query";
export { type Hit, type Page, search } from "./search";
export { type Similar, similar } from "./similar";
export { ensureVectorIndex } from "./vector-index";
