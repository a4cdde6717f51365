// What the benchmarks' synthetic people say: everyday talk in thousands of variations, made from patterns and a seed. None of it holds a
// key phrase that is measured; nothing is taken from the sentences that the network was trained on.
import type { Seeded } from "./random";

const SLOTS: Record<string, string[]> = {
  who: words(
    "my sister|my brother|the neighbor|our cousin|the teacher|my grandfather|the plumber|that nurse|the mechanic|a friend of mine|her uncle|the mayor|my boss|the librarian|the kid next door|our dentist",
  ),
  did: words(
    "fixed|painted|borrowed|lost|found|sold|cleaned|bought|repaired|carried|forgot|designed|noticed|measured|moved|wrapped|photographed|returned",
  ),
  item: words(
    "garden|piano|bicycle|blanket|kettle|violin|suitcase|umbrella|telescope|sofa|bookshelf|camera|tractor|canoe|guitar|carpet|lantern|wheelbarrow|mailbox|sweater|radio|painting|hammer|basket|mattress|freezer",
  ),
  place: words(
    "the harbor|the river|downtown|the old station|the museum|the mountains|the bakery|our school|the hospital|the stadium|the lake|the airport|the market|a farm up north|the theater|the valley|the courthouse|the beach",
  ),
  when: words(
    "yesterday|last winter|on sunday|this morning|two years ago|after lunch|before sunrise|around midnight|in october|every tuesday|at the weekend|during the storm|a while ago|the other day",
  ),
  quality: words(
    "heavy|lovely|broken|purple|enormous|quiet|crooked|ancient|comfortable|dusty|expensive|wonderful|narrow|salty|gentle|stubborn|shiny|frozen|cheerful|awkward",
  ),
  food: words(
    "tomatoes|pancakes|chicken soup|apple pie|noodles|fresh bread|strawberries|mashed potatoes|olives|garlic|cinnamon rolls|peppers|mushrooms|blueberries|fish and chips|cheese",
  ),
  animal: words(
    "dog|cat|parrot|horse|goose|squirrel|rabbit|owl|turtle|pony|rooster|fox|donkey|hamster|whale|raccoon",
  ),
  number: words(
    "two|three|four|five|seven|eight|eleven|twelve|fifteen|twenty|thirty five|forty|sixty|ninety|a hundred|several",
  ),
  feel: words(
    "I suppose|honestly|you know|I guess|to be fair|believe it or not|as far as I can tell|well|actually|in my opinion|oh|hmm",
  ),
};

const PATTERNS = `
{who} {did} a {quality} {item} {when}
{feel}, {who} {did} the {item} near {place}
there were {number} {quality} {animal}s by {place}
did you hear that {who} {did} {number} {item}s
we drove to {place} {when} and ate {food}
the {animal} chased a {quality} {animal} all the way to {place}
I have never liked {food}, but {who} eats {number} plates of it
it takes about {number} minutes on foot from {place}
{when} the {item} was still {quality}
put the {item} behind the {quality} {item}, would you
{feel}, {number} of them is enough for anybody
what a {quality} {animal} that was
she grew up close to {place} with {number} brothers
can you imagine, {who} keeps a {animal} in the kitchen
he plays the {item} so loudly that the {animal} hides
nobody told {who} that {place} is closed {when}
if the {item} gets any more {quality} we will need a bigger one
I could smell the {food} from {place}
{who} wanted {number} {item}s and a {animal} for the birthday
turn right at {place}, then it is {number} blocks
the weather was {quality} {when}, {feel}
they say {who} once {did} a {item} made of {food}
no
yes, of course
maybe {when}
{feel}, I am not so sure
thanks a lot
could you speak up a little
`
  .trim()
  .split("\n");

function words(list: string): string[] {
  return list.split("|");
}

/** @returns a sentence, in lower case, with at most commas in it */
export function sentence(random: Seeded): string {
  return random.pick(PATTERNS).replace(/\{(\w+)\}/g, (_, slot: string) => random.pick(SLOTS[slot]));
}
