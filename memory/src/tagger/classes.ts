// Classes of words that the rules share: words that mean the same to a sales talk. An entry is a pattern (pattern.ts); entries are parted by "|".
import type { WordClasses } from "./pattern";

const MONTHS = "january|february|march|april|june|july|august|september|october|november|december|=may";

export const CLASSES: WordClasses = {
  yes: "yes|yeah|yep|yup|sure|okay|all right|absolutely|definitely|of course|fine|great|perfect|exactly|why not|sounds good|by all means|certainly|good|let us|please do|right",
  no: "no|nope|nah|not really|no thanks|no thank you|absolutely not|certainly not",
  iwe: "i|we",
  heshe: "he|she|they",
  spouse:
    "wife|husband|spouse|partner|girlfriend|boyfriend|fiance|fiancee|better half|other half|missus|hubby|=significant other",
  relative:
    "son|daughter|dad|father|mom|mum|mother|parents|brother|sister|uncle|aunt|cousin|nephew|niece|in law|kid|grandson|granddaughter|family|folks",
  boss: "boss|manager|owner|landlord|landlady|board|committee|head office|headquarters|corporate|director|supervisor|management|council|hoa|association|ceo|cfo|coo|chief|procurement|purchasing|franchise|franchisor|partners|business partner|co owner|trustees|trustee|treasurer|superintendent|principal|pastor|doctor|dentist|chef|property company|housing company|building company|regional|higher up|upstairs|chairman|president|vicar|foundation",
  authority: "<spouse>|<boss>|<relative>",
  expert:
    "<relative>|neighbour|friend|accountant|electrician|contractor|lawyer|adviser|advisor|colleague|buddy|pal|mate|plumber|roofer|bookkeeper|foreman|handyman|builder|engineer|consultant|tax guy|tax man|it guy|it person|tech guy|mechanic|banker|staff|crew|team|assistant|nurse|tenants|bartender|baker|head chef|shift lead|technician|caretaker",
  price:
    "price|pricing|cost|payment|money|rate|fee|charge|deposit|amount|figure|quote|down payment|interest|premium|subscription|installment|bill|number|tag|total|sum|price tag|sticker",
  dear: "expensive|pricey|pricy|steep|costly|overpriced|dear|exorbitant|unaffordable",
  outrageous:
    "outrageous|ridiculous|insane|crazy|absurd|robbery|daylight robbery|rip off|ripoff|a fortune|eye watering|highway robbery|madness|nuts|out of reach|out of my league|through the roof|sky high",
  debt: "debt|loan|mortgage|credit|financing|finance|lien|installments|instalments|lease",
  much: "too|so|pretty|really|quite|very|awfully|a bit|a little|kind of|rather|way too|way|far too|a tad|somewhat|still|just too",
  period: `week|month|year|spring|summer|fall|autumn|winter|quarter|season|christmas|holiday|easter|thanksgiving|new year|vacation|${MONTHS}`,
  months: MONTHS,
  weekday: "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
  daypart: "morning|afternoon|evening|noon|lunch|lunchtime|tonight",
  ordinal:
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty first|twenty second|twenty third|twenty fourth|twenty fifth|twenty sixth|twenty seventh|twenty eighth|thirtieth",
  when: "<weekday>|tomorrow|tonight|next <period>|next <weekday>|this <weekday>|this <daypart>|(in|after|within) (a|an|#|few|couple|two) .. (day|week|hour|minute|month)|at #|(the|on the) <ordinal>|<months> #|end of the (week|month)|later today|this (week|weekend)|next time|day after tomorrow|first thing|before noon|after work|after (school|lunch|closing|close|#)",
  event:
    "holidays|holiday|christmas|summer|winter|spring|fall|autumn|harvest|baby|wedding|move|renovation|remodel|divorce|tax|taxes|tax season|retire|lease|contract|season|rush|surgery|school|election|quarter|inventory|easter|thanksgiving|new year|vacation|trip|sale|kitchen|roof|extension|graduation|funeral|audit|budget|bonus|refund|pay day|payday|exams|operation|lambing|calving|planting|finals|playoffs|term|ramadan|lent|tour|deployment|chemo|treatment|recital|christening|birthday|inspection|due date|semester|busy season|high season|snow|thaw|first of the (month|year)",
  want: "want|need|like|look for|care for|use",
  offer:
    "it|this|that|one|them|these|those|thing|service|system|panel|product|unit|plan|program|contract|deal|package|warranty|alarm|filter|window|roof|solar|internet|fibre|fiber|insurance|treatment|terminal|machine|device|equipment|software|app|camera|battery|subscription",
  company:
    "company|provider|supplier|firm|outfit|vendor|installer|contractor|dealer|carrier|agency|business|shop|brand|utility|bank|insurer|competitor|bunch",
  talk: "talk|speak|ask|check|discuss|consult|clear|confer|chat|run|go over|bring|square|sit down|ring|call|show|see|hear|look",
  decide:
    "decide|agree|sign|approve|okay|authorise|authorize|commit|say yes|sign off|say so|go ahead|give the okay|give the green light|green light|buy|choose|have the last word|have the final say|have a say|weigh in",
  paper:
    "contract|paper|paperwork|form|agreement|proposal|quote|estimate|info|information|brochure|email|link|document|details|offer|writing|pdf|sheet|leaflet|flyer|draft|invoice|copy|reference|photo|bill|statement|plans|calculation|numbers|figures",
  contact:
    "come|call|stop|drop|swing|ring|phone|text|email|mail|send|visit|pop|=be|follow|check|reach|meet|knock|try|get|write|bring|talk|speak|return",
  visit:
    "visit|appointment|call|survey|inspection|meeting|demo|demonstration|trial|consultation|walkthrough|site visit|assessment|technician|surveyor|slot|time|estimate|measurement|test|inspector|engineer|installation|install|measuring|pilot|sample",
  nice: "good|great|nice|cool|neat|interesting|impressive|amazing|fantastic|awesome|wonderful|reasonable|fair|perfect|brilliant|excellent|promising|handy|useful|clever|smart|appealing|tempting|lovely|fascinating|intriguing|decent",
};
