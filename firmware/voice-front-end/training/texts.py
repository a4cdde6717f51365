"""Sentences to be spoken by the synthesisers: talk at a front door, short phrases, and random words for phone coverage.

Nothing here is anybody's text: patterns are our own, words come from the dictionary. The words that the benchmarks and the
study use as key phrases are left out, so that a phrase measured is a phrase never trained.
"""
import random
import re

NEVER_SPOKEN = set(
    "alexa alexis alexander computer computers compute computing jarvis smart smarter mirror mirrors snow snowboy boy "
    "boys view views viewing glass glasses".split()
)

COMMON = (
    "the a to of and in is you that it for was on are with as i they be at one have this from or had by but some what "
    "there we can out other were all your when up use how said an each she which do their time if will way about many "
    "then them would like so these her long make thing see him two has look more day could go come did my no most who "
    "over know than call first people may down been now find any new work part take get place made live where after back "
    "little only round man year came show every good me give our under name very through just form much great think say "
    "help low before turn cause same mean right old too does tell sentence three want air well also play small end put home "
    "read hand large even land here must big high such follow act why ask men change went kind off need house try us again "
    "world near build self earth father head stand own page should found answer still learn plant cover food sun four "
    "thought let keep eye never last door between city start might story saw far left late run while close night real life "
    "few stop open seem together next children begin got walk example paper group always those both mark often letter until "
    "mile river car feet care second enough girl usual young ready above ever list though feel talk soon family direct leave "
    "product black short question happen complete area half rock order fire south problem piece told knew pass since top "
    "whole king space heard best hour better true during hundred five remember step early hold west ground interest reach "
    "fast sing listen six table travel less morning ten simple several toward war lay against pattern slow center love "
    "person money serve appear road map rain rule govern pull cold notice voice unit power town fine certain fly fall lead "
    "cry dark machine note wait plan figure star box noun field rest correct able pound done beauty drive stood contain "
    "front teach week final gave green quick develop ocean warm free minute strong special mind behind clear tail produce "
    "fact street inch nothing course stay wheel full force blue object decide surface deep moon island foot system busy test"
).split()

PATTERNS = """
hi there my name is {name} and i am with {word} {word}
good {part} is this a bad time
i was just talking to {name} next door about the {thing}
how old is the {thing} on your house
when did you last have the {thing} looked at
we are doing free {thing} inspections in your neighborhood this {day}
what do you pay for the electric bill each month
it comes to about {number} dollars a month
that is {number} dollars less than you pay now
is that with or without the {thing}
we would need to talk to my {person} first
my {person} makes those decisions
let me go and get my {person}
we rent this place so you would have to ask the owner
we already had somebody out here last {day}
the insurance company sent an adjuster after the storm
the hail took the shingles off on the {word} side
there is a leak over the {room}
do you have any pictures of the {thing}
how long does the installation take
it takes {number} days from start to finish
who does the work is it your own crew
what happens if it breaks after {number} years
the warranty covers the {thing} for {number} years
what is the interest rate on the loan
can you break that into monthly payments
there is no money down and no payment until {month}
i do not sign anything at the door
leave me a card and i will think it over
we got a quote from {word} for {number} thousand
how are you any different from {word}
can you do any better on the price
that sounds fair to me
where do i sign
when could you start
could you come back on {day} at {number}
send it to my email and i will read it tonight
we had a break in on this street in {month}
the cameras record to the cloud for {number} days
does the alarm call the police or call me
we have a dog so motion sensors are a problem
the kids come home at {number} in the afternoon
do you mind if i record this talk for my notes
sure that is fine with me
no please turn that off
you can stop the recording any time
i will be back with the {thing} on {day}
thank you for your time {name}
have a good rest of your day
the tax credit is {number} percent of the {thing}
our roof faces {word} and the trees shade it until noon
what if we sell the house in {number} years
the panels come with a {number} year guarantee
""".strip().split("\n")

FILL = {
    "name": "john mary peter susan david linda mark julia thomas anna kevin laura brian emily steve rachel george sophie "
            "daniel olivia maria carlos priya chen ahmed fatima jose gloria hector wanda",
    "part": "morning afternoon evening",
    "day": "monday tuesday wednesday thursday friday saturday sunday week weekend summer",
    "month": "january february march april may june july august september october november december",
    "person": "wife husband partner mother father brother landlord son daughter",
    "room": "kitchen garage bedroom bathroom attic basement porch hallway",
    "thing": "roof gutter panel inverter battery meter window alarm sensor camera chimney deck shingle siding contract "
             "estimate proposal brochure ladder fence driveway furnace keypad doorbell permit discount deposit",
    "number": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty "
              "forty fifty sixty seventy eighty ninety",
}


def dictionary_words(dictionary_path, word_list_path):
    """Words of two to twelve letters that are in the pronunciation dictionary and in the list of plain words."""
    plain = {line.strip() for line in open(word_list_path)}
    words = {line.split()[0] for line in open(dictionary_path)}
    return sorted(w for w in words if re.fullmatch("[a-z]{2,12}", w) and w in plain and w not in NEVER_SPOKEN)


def sentences(count, words, seed, sales=True):
    """`count` sentences, the same for the same seed. Without `sales` no pattern of sales talk is among them."""
    rng = random.Random(seed)

    def fill(match):
        kind = match.group(1)
        if kind == "word":
            return rng.choice(words)
        return rng.choice(FILL[kind].split())

    for _ in range(count):
        kind = rng.random()
        if not sales:
            yield " ".join(rng.choice(COMMON if rng.random() < 0.6 else words) for _ in range(rng.randint(4, 12)))
        elif kind < 0.25:
            yield re.sub(r"\{(\w+)\}", fill, rng.choice(PATTERNS))
        elif kind < 0.37:
            yield " ".join(rng.choice(COMMON if rng.random() < 0.4 else words) for _ in range(rng.randint(1, 3)))
        else:
            yield " ".join(rng.choice(COMMON if rng.random() < 0.33 else words) for _ in range(rng.randint(4, 9)))
