"""Makes the spoken corpus with Debian's synthesisers: flite, festival and eSpeak NG, each with its own phone boundaries."""
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import texts

HERE = os.path.dirname(os.path.abspath(__file__))
DICTIONARY = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict"
WORD_LIST = "/usr/share/dict/american-english"

# Mean and deviation of the pitch that each flite voice was recorded with, Hz: kal16, slt, rms, awb.
FLITE_PITCH = ((105, 18), (172, 28), (98, 16), (120, 20))
FLITE_SHARE = (0.15, 0.31, 0.31, 0.23)
ESPEAK_LANGUAGES = ["en-us"] * 6 + ["en-gb", "en-gb-x-rp", "en-gb-scotland"]
ESPEAK_VARIANTS = (
    "Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen adam anika "
    "announcer antonio aunty belinda benjamin boris caleb david ed edward edward2 f1 f2 f3 f4 f5 grandma grandpa gustave "
    "iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo "
    "max michel miguel pablo paul pedro quincy rob robert sandro shelby steph steph2 steph3 travis victor zac"
).split()
FESTIVAL_VOICES = (("k", "voice_ked_diphone", 0.6), ("l", "voice_kal_diphone", 0.25), ("h", "voice_cmu_us_slt_arctic_hts", 0.15))


def flite_jobs(lines, rng):
    for number, line in enumerate(lines):
        voice = rng.choices(range(4), FLITE_SHARE)[0]
        mean, deviation = FLITE_PITCH[voice]
        factor = rng.uniform(0.82, 1.35) if rng.random() < 0.6 else 1.0
        deviation *= factor * rng.uniform(0.7, 1.6)
        yield f"f{number:05d} {voice} {mean * factor:.1f} {deviation:.1f} {rng.uniform(0.72, 1.25):.2f} {line}"


def espeak_jobs(lines, rng):
    for number, line in enumerate(lines):
        voice = f"{rng.choice(ESPEAK_LANGUAGES)} {rng.choice(ESPEAK_VARIANTS)}"
        yield f"e{number:05d} {voice} {rng.randint(125, 220)} {rng.randint(20, 75)} {rng.randint(25, 80)} {line}"


def festival_script(prefix, voice, lines, rng, folder):
    yield f"({voice})"
    for number, line in enumerate(lines):
        if voice.endswith("diphone"):
            factor = rng.uniform(0.85, 1.35)
            yield (f"(set! int_lr_params '((target_f0_mean {105 * factor:.0f}) (target_f0_std {16 * factor:.0f})"
                   " (model_f0_mean 170) (model_f0_std 34)))")
        yield f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.25):.2f})"
        yield f'(set! u (utt.synth (Utterance Text "{line}")))'
        yield f'(utt.save.wave u "{folder}/{prefix}{number:05d}.wav" \'riff)'
        yield f'(utt.save.segs u "{folder}/{prefix}{number:05d}.lab")'


def compile_speaker(name, libraries, work):
    program = os.path.join(work, name)
    subprocess.check_call(["gcc", "-O2", "-o", program, os.path.join(HERE, name + ".c")] + libraries)
    return program


def synthesise(work, sentence_count, seed, sales=True):
    """Speaks `sentence_count` sentences into work/spoken. About half by flite, a quarter each by eSpeak and festival."""
    folder = os.path.join(work, "spoken")
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(seed)
    words = texts.dictionary_words(DICTIONARY, WORD_LIST)
    lines = list(texts.sentences(sentence_count, words, seed, sales))
    flite = compile_speaker(
        "speak_flite",
        ["-lflite_cmu_us_kal16", "-lflite_cmu_us_slt", "-lflite_cmu_us_rms", "-lflite_cmu_us_awb", "-lflite_usenglish",
         "-lflite_cmulex", "-lflite", "-lm"], work)
    espeak = compile_speaker("speak_espeak", ["-lespeak-ng"], work)
    half, three_quarters = sentence_count // 2, sentence_count * 3 // 4
    tasks = []
    for program, jobs in ((flite, list(flite_jobs(lines[:half], rng))),
                          (espeak, list(espeak_jobs(lines[half:three_quarters], rng)))):
        for part in (jobs[0::2], jobs[1::2]):
            tasks.append(([program, folder], "\n".join(part) + "\n"))
    rest = lines[three_quarters:]
    start = 0
    for prefix, voice, share in FESTIVAL_VOICES:
        count = int(len(rest) * share)
        script = festival_script(prefix, voice, rest[start:start + count], rng, folder)
        tasks.append((["festival", "--pipe"], "\n".join(script) + "\n"))
        start += count

    def run(task):
        command, text = task
        with open(os.path.join(work, "synthesis.log"), "a") as log:
            subprocess.run(command, input=text.encode(), stdout=log, stderr=log, check=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, tasks))
    return folder
