"""The 40 phone classes of the network: silence and the 39 phones of ARPAbet as the CMU dictionary writes them.

The order is part of the frame's layout (firmware/services/voice-front-end.md): a class number never changes its meaning.
"""

PHONES = (
    "sil aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
).split()
CLASS_OF = {phone: number for number, phone in enumerate(PHONES)}

_FESTIVAL_ALIASES = {
    "pau": "sil", "ax": "ah", "axr": "er", "el": "l", "em": "m", "en": "n", "nx": "n", "dx": "d", "h#": "sil",
    "#": "sil", "brth": "sil", "ssil": "sil",
}


def class_of_festival(name):
    """Class of a segment name of festival or flite (ARPAbet in lower case, stress digits allowed)."""
    name = name.lower().rstrip("012")
    return CLASS_OF[_FESTIVAL_ALIASES.get(name, name)]


# eSpeak's English mnemonics. Several classes: the segment is divided evenly among them. None: no duration of its own.
CLASSES_OF_ESPEAK = {
    "_:": "sil", "_": "sil", "_!": "sil", "END": "sil",
    "p": "p", "b": "b", "t": "t", "t2": "t", "?": "t", "d": "d", "t#": "d", "k": "k", "x": "k", "g": "g",
    "f": "f", "v": "v", "T": "th", "D": "dh", "s": "s", "z": "z", "S": "sh", "Z": "zh", "h": "hh",
    "tS": "ch", "dZ": "jh", "m": "m", "n": "n", "n-": "n", "N": "ng", "l": "l", "l#": "l", "r": "r", "r-": "r",
    "w": "w", "w#": "w", "j": "y",
    "I": "ih", "I2": "ih", "I#": "ih", "E": "eh", "a": "ae", "aa": "ae", "a#": "ah", "0": "aa", "O2": "aa", "A:": "aa",
    "O:": "ao", "V": "ah", "@": "ah", "@2": "ah", "@5": "ah", "@-": "ah", "U": "uh", "u:": "uw", "i": "iy", "i:": "iy",
    "3": "er", "3:": "er", "VR": "er",
    "eI": "ey", "aI": "ay", "aI2": "ay", "aI3": "ay", "OI": "oy", "oU": "ow", "aU": "aw",
    "@L": "ah l", "A@": "aa r", "O@": "ao r", "o@": "ao r", "e@": "eh r", "i@": "iy ah", "i@3": "ih r", "U@": "uh r",
    "aI@": "ay er", "IR": "ih r", ";": None,
}
