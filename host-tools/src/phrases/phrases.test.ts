// Key phrases of a team: how words sound, thresholds from a background, the list's file, advice, and the ready sets.
import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PHONE_CLASSES, PHRASE_PHONES_TOTAL_MAX, readPhrase } from "@salestag/protocol";
import { ExitCode } from "@salestag/protocol/team";
import { bytesOf, toolError, useFolder } from "@salestag/protocol/testing";
import fc from "fast-check";
import { adviceOn } from "./advice";
import { readBackground, storedBackground, writeBackground } from "./background";
import { calibrate, missedAt } from "./calibrate";
import { dictionaryWords, soundsOf } from "./dictionary";
import { LetterToSound } from "./letter-to-sound";
import { makePhrase, phrasesOfSet } from "./make-phrase";
import { encodePhones, phoneDistance, spell } from "./phones";
import {
  type ListedPhrase,
  phraseSettings,
  readPhraseList,
  readPhrasesForBadge,
  writePhraseList,
} from "./phrase-list";
import { normalise } from "./phrase-text";
import { pronounce, readSaid } from "./pronounce";
import { readSet, setNames } from "./sets";

const listed = (text: string, phones: string, threshold = -3000): ListedPhrase => ({
  text,
  category: "other",
  falseAlarmsPerHour: 1,
  threshold,
  pronunciations: [encodePhones(phones.split(" "))],
});

describe("phrases: how words sound", () => {
  const known: [text: string, pronunciations: string[]][] = [
    ["expensive", ["ih k s p eh n s ih v"]],
    ["computer", ["k ah m p y uw t er", "k ah m p y uw d er"]],
    ["record this", ["r ah k ao r d dh ih s", "r eh k er d dh ih s"]],
    ["gas sale", ["g ae s ey l"]],
    ["what does it cost per month", ["w ah t d ah z ih t k aa s t p er m ah n th"]],
  ];
  for (const [text, wanted] of known)
    it(`dictionary: "${text}"`, () => {
      assert.deepEqual(
        pronounce(text).pronunciations.map((phones) => phones.join(" ")),
        wanted,
      );
    });

  it("a compound of two words of the dictionary says so", () => {
    const { source, pronunciations } = soundsOf("solaredge");
    assert.equal(source, "compound");
    assert.equal(pronunciations[0].join(" "), "s ow l er eh jh");
  });

  it("a word that nobody knows is guessed from its spelling, and says so", () => {
    const { source, pronunciations } = soundsOf("zorblatt");
    assert.equal(source, "spelling");
    assert.ok(
      phoneDistance(encodePhones(pronunciations[0]), encodePhones("z ao r b l ae t".split(" "))) <= 2,
    );
  });

  it("spelling: words kept back from it are guessed with 85% of their phones right", () => {
    const taught = new LetterToSound(dictionaryWords(12));
    let wrong = 0;
    let phones = 0;
    for (const [word, truth] of dictionaryWords(120, 1)) {
      wrong += phoneDistance(encodePhones(taught.guess(word)), encodePhones(truth));
      phones += truth.length;
    }
    assert.ok(
      phones > 4000 && wrong / phones < 0.15,
      `${((100 * wrong) / phones).toFixed(1)}% of ${phones} wrong`,
    );
  });

  const clean: [given: string, wanted: string][] = [
    ["  Too   EXPENSIVE!  ", "too expensive"],
    ["that’s-it.", "that's it"],
  ];
  for (const [given, wanted] of clean)
    it(`normalised: ${JSON.stringify(given)}`, () => assert.equal(normalise(given), wanted));

  const refused: [text: string, words: RegExp][] = [
    ["", /the phrase is empty/],
    ["x".repeat(41), /41 characters; .* at most 40/],
    ["300 dollars", /holds '3'; write words as they are spoken/],
    ["señor", /holds 'ñ'/],
  ];
  for (const [text, words] of refused)
    it(`refused: ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(() => normalise(text), toolError(ExitCode.Usage, words));
    });

  it("refused: a phrase of two phones, and one of 41", () => {
    assert.throws(
      () => pronounce("a"),
      toolError(ExitCode.Usage, /"a" has 1 phones; a badge listens for 3 to 40/),
    );
    assert.throws(() => readSaid("x", Array(41).fill("S").join(" ")), toolError(ExitCode.Usage, /41 phones/));
  });

  it("said by the user: stress digits and case do not matter, another phone does", () => {
    assert.equal(readSaid("x", "S OW1 L ER0").join(" "), "s ow l er");
    assert.throws(() => readSaid("x", "S QQ L"), toolError(ExitCode.Usage, /'qq' is no phone/));
    assert.throws(() => readSaid("x", "S SIL L"), toolError(ExitCode.Usage, /'sil' is no phone/));
  });

  it("the badge's form: spelled and encoded again it is the same (any phones)", () => {
    const any = fc.array(fc.integer({ min: 1, max: PHONE_CLASSES - 1 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(any, (classes) => {
        const encoded = String.fromCharCode(...classes.map((phone) => 64 + phone));
        assert.equal(encodePhones(spell(encoded).split(" ")), encoded);
      }),
    );
  });

  it("distance: 0 to itself, as far back as there, one for each change (any pronunciations)", () => {
    const phones = fc.stringMatching(/^[A-Zc-g]{0,12}$/);
    fc.assert(
      fc.property(phones, phones, (a, b) => {
        assert.equal(phoneDistance(a, a), 0);
        assert.equal(phoneDistance(a, b), phoneDistance(b, a));
        assert.ok(phoneDistance(a, b) >= Math.abs(a.length - b.length));
        assert.equal(phoneDistance(a, `${a}A`), 1);
      }),
    );
  });
});

describe("phrases: background file", () => {
  const vectors = bytesOf(4, 40 * 60).map((byte) => byte & 31);
  const file = writeBackground(vectors);

  it("what is written is read again", () => assert.deepEqual(readBackground(file), Buffer.from(vectors)));

  it("the one that comes with the tools holds an hour", () => {
    const hours = storedBackground().length / PHONE_CLASSES / 25 / 3600;
    assert.ok(Math.abs(hours - 1) < 0.01, `${hours} hours`);
    assert.ok(storedBackground().every((byte) => byte <= 31));
  });

  const damages: [name: string, file: Buffer][] = [
    ["empty", Buffer.alloc(0)],
    ["another magic", Buffer.concat([Buffer.from("STXX"), file.subarray(4)])],
    ["a later version", Buffer.from(file.map((byte, i) => (i === 4 ? 2 : byte)))],
    ["another count", Buffer.from(file.map((byte, i) => (i === 8 ? byte + 1 : byte)))],
    ["a count beyond all reason", Buffer.from(file.map((byte, i) => (i === 11 ? 0xff : byte)))],
    ["another checksum", Buffer.from(file.map((byte, i) => (i === 12 ? byte ^ 1 : byte)))],
    ["cut", file.subarray(0, file.length - 8)],
  ];
  for (const [name, damaged] of damages)
    it(`refused: ${name}`, () => {
      assert.throws(
        () => readBackground(damaged),
        toolError(ExitCode.Usage, /background file cannot be used/),
      );
    });
});

describe("phrases: thresholds", () => {
  const pronunciation = encodePhones("t uw ih k s p eh n s ih v".split(" "));

  it("more false alarms allowed: a lower threshold and fewer misses", () => {
    const rates = [0.1, 1, 5, 20, 60].map((rate) => calibrate([pronunciation], storedBackground(), rate));
    for (let i = 1; i < rates.length; i++) {
      assert.ok(rates[i].threshold < rates[i - 1].threshold);
      assert.ok(rates[i].missed <= rates[i - 1].missed);
    }
  });

  it("at 60 an hour the background itself has about 60 peaks above it", () => {
    const { threshold } = calibrate([pronunciation], storedBackground(), 60);
    const stricter = calibrate([pronunciation], storedBackground(), 50).threshold;
    assert.ok(threshold < stricter && stricter - threshold < 200, `${threshold} and ${stricter}`);
  });

  it("a background without a single path: the lowest threshold there is", () => {
    const silent = Buffer.alloc(40 * 500, 31);
    assert.equal(calibrate([pronunciation], silent, 1).threshold, -6144);
  });

  it("misses rise with the threshold, from few to all (any thresholds)", () => {
    fc.assert(
      fc.property(fc.integer({ min: -6144, max: 0 }), fc.integer({ min: -6144, max: 0 }), (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        assert.ok(missedAt(low) <= missedAt(high) && missedAt(low) >= 0 && missedAt(high) <= 1);
      }),
    );
    assert.equal(missedAt(0), 1);
  });
});

describe("phrases: the team's file", () => {
  const folder = useFolder();
  const path = () => join(folder(), "phrases.json");

  it("what is written is read again, and a badge can read its settings", () => {
    const phrases = [listed("one", "w ah n t uw"), listed("two", "t uw th r iy")];
    writePhraseList(path(), phrases);
    assert.deepEqual(readPhraseList(path()), phrases);
    const settings = phraseSettings(phrases);
    assert.equal(settings.length, 32);
    for (const [i, phrase] of phrases.entries()) {
      const read = readPhrase(JSON.parse(settings[i][1] as string));
      assert.deepEqual(read, {
        text: phrase.text,
        threshold: phrase.threshold,
        pronunciations: phrase.pronunciations,
      });
    }
    assert.equal(settings[2][1], undefined);
  });

  it("no file: no phrases", () => assert.deepEqual(readPhraseList(path()), []));

  const bad: [name: string, text: string, words: RegExp][] = [
    ["no JSON", "{", /no list of phrases/],
    ["another version", '{"version":2,"phrases":[]}', /version is 2, not 1/],
    ["no phrases", '{"version":1}', /no array 'phrases'/],
    ["a category that is none", '{"version":1,"phrases":[{"text":"x","category":"y"}]}', /category "y"/],
    [
      "a phone that is none",
      '{"version":1,"phrases":[{"text":"x","category":"other","falseAlarmsPerHour":1,"threshold":-1,"pronunciations":["a b c"]}]}',
      /no list of phrases/,
    ],
  ];
  for (const [name, text, words] of bad)
    it(`refused and left as it was: ${name}`, () => {
      writeFileSync(path(), text);
      assert.throws(() => readPhraseList(path()), toolError(ExitCode.Usage, words));
      assert.equal(readFileSync(path(), "utf8"), text);
    });

  it("too much for a badge: refused, and the file stays as it was", () => {
    const one = listed("one", "w ah n t uw");
    writePhraseList(path(), [one]);
    const before = readFileSync(path(), "utf8");
    const many = Array.from({ length: 33 }, (_, i) => ({ ...one, text: `one ${i}` }));
    assert.throws(
      () => writePhraseList(path(), many),
      toolError(ExitCode.Usage, /33 phrases; .* 32 at most/),
    );
    const long = Array.from({ length: 11 }, (_, i) => ({
      ...one,
      text: `${i}`,
      pronunciations: ["A".repeat(40)],
    }));
    assert.throws(
      () => writePhraseList(path(), long),
      toolError(ExitCode.Usage, /440 phones .* room for 400/),
    );
    assert.equal(readFileSync(path(), "utf8"), before);
  });
});

describe("phrases: what a badge cannot take", () => {
  const folder = useFolder();
  /** Six long pronunciations, whose setting comes close to what there is. */
  const wide = (textCharacters: number) => ({
    ...listed("x".repeat(textCharacters), "s ow l"),
    threshold: -1,
    pronunciations: Array<string>(6).fill("A".repeat(27)),
  });
  const bytesOfSetting = (phrase: ListedPhrase) => (phraseSettings([phrase])[0][1] as string).length;

  it("a setting of as many bytes as there are is kept, one more is refused and the file stays", () => {
    const path = join(folder(), "phrases.json");
    const most = wide(221 - bytesOfSetting(wide(0)));
    assert.equal(bytesOfSetting(most), 221);
    writePhraseList(path, [most]);
    const before = readFileSync(path, "utf8");
    assert.throws(
      () => writePhraseList(path, [wide(most.text.length + 1)]),
      toolError(ExitCode.Usage, /takes 222 bytes .* a badge has 221/),
    );
    assert.equal(readFileSync(path, "utf8"), before);
    assert.deepEqual(readPhrasesForBadge(path), [most]);
  });

  it("a phone that JSON writes in two bytes counts as two", () => {
    const path = join(folder(), "phrases.json");
    const plain = wide(221 - bytesOfSetting(wide(0)));
    const twoBytes = encodePhones(["r"]);
    assert.equal(JSON.stringify(twoBytes).length, 4);
    const pronunciations = [plain.pronunciations[0].slice(1) + twoBytes, ...plain.pronunciations.slice(1)];
    assert.throws(
      () => writePhraseList(path, [{ ...plain, pronunciations }]),
      toolError(ExitCode.Usage, /222 bytes/),
    );
  });

  for (const [name, phrase, words] of [
    [
      "7 pronunciations",
      { ...listed("x", "s ow l"), pronunciations: Array(7).fill("ABC") },
      /7 pronunciations/,
    ],
    ["2 phones", listed("x", "s ow"), /3 to 40 phones/],
    ["a text of 41 characters", listed("x".repeat(41), "s ow l"), /1 to 40 characters/],
  ] as [string, ListedPhrase, RegExp][])
    it(`refused: ${name}`, () => {
      const path = join(folder(), "phrases.json");
      assert.throws(() => writePhraseList(path, [phrase]), toolError(ExitCode.Usage, words));
      assert.deepEqual(readPhraseList(path), []);
    });

  it("an empty list is not written into a badge", () => {
    assert.throws(
      () => readPhrasesForBadge(join(folder(), "none.json")),
      toolError(ExitCode.Usage, /none\.json' has no phrases; add some/),
    );
  });
});

describe("phrases: advice", () => {
  it("too short, whatever its threshold", () => {
    const [advice, ...more] = adviceOn(listed("no way", "n ow w ey"), []);
    assert.match(advice, /"no way" is too short \(4 phones\)/);
    assert.deepEqual(more, []);
  });

  it("too common: a threshold that misses many", () => {
    const [advice] = adviceOn(listed("and that is it", "ae n d dh ae t ih z ih t", -1500), []);
    assert.match(advice, /too common in ordinary talk: .* of 10 utterances will be missed/);
  });

  it("alike, and part of another", () => {
    const husband = listed("talk to my husband", "t ao k t uw m ay hh ah z b ah n d");
    const husbands = listed("talk to my husbands", "t ao k t uw m ay hh ah z b ah n d z");
    const need = listed("need to talk to my husband", "n iy d t uw t ao k t uw m ay hh ah z b ah n d");
    assert.match(adviceOn(husband, [husbands]).join(), /sound alike/);
    assert.match(adviceOn(husband, [need]).join(), /is part of "need to talk to my husband"/);
    assert.deepEqual(adviceOn(need, [listed("solar panels", "s ow l er p ae n ah l z")]), []);
  });
});

describe("phrases: ready sets", () => {
  it("there are sets for solar, roofing and security", () => {
    assert.deepEqual(setNames(), ["roofing", "security", "solar"]);
  });

  for (const name of setNames())
    it(`${name}: every word is known, no phrase is short or doubled, all fit a badge with room to spare`, () => {
      const { phrases, title } = readSet(name);
      assert.ok(title.length > 0 && phrases.length >= 15);
      assert.equal(new Set(phrases.map(([text]) => text)).size, phrases.length);
      for (const category of ["objection", "buying signal", "competitor", "consent"])
        assert.ok(
          phrases.some(([, own]) => own === category),
          `no ${category}`,
        );
      const made = phrases.map(([text, category]) => makePhrase(text, { category, falseAlarmsPerHour: 1 }));
      for (const { words } of made)
        for (const { word, source } of words) assert.notEqual(source, "spelling", `"${word}" is a guess`);
      for (const { phrase } of made)
        for (const advice of adviceOn(phrase, [])) assert.doesNotMatch(advice, /too short/);
      const phones = made.reduce((sum, { phrase }) => sum + phrase.pronunciations.join("").length, 0);
      assert.ok(phones <= PHRASE_PHONES_TOTAL_MAX, `${phones} phones`);
    });

  it("a set that is none is refused with the names of those that are", () => {
    assert.throws(
      () => phrasesOfSet("boats", 1),
      toolError(ExitCode.Usage, /'boats'; there are roofing, security, solar/),
    );
  });
});
