"""In which language a text is: by its script, and of Latin and Cyrillic ones by common words.

A few words tell languages apart that share a script: articles, conjunctions, prepositions.
Word lists this short miss titles without any, of which nothing is said.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

LOOKED_AT = 400  # letters of a text
FEWEST_HITS = 2  # common words of a language, below which a text is of none
BY_SCRIPT = {
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CJK": "Chinese",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "DEVANAGARI": "Hindi",
    "THAI": "Thai",
}
WITH_CHINESE = ("Japanese", "Korean")  # write Chinese characters beside their own
COMMON_WORDS: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "English": "the of and to in is that it for with as was on are by his this from at her",
        "German": "der die das und ist nicht ein eine zu den mit von auf für im dem des sich auch",
        "French": "le la les et des un une est dans que qui pour du au sur pas par avec ce son",
        "Spanish": "el la los las y de que un una es en por con para del se su al como más",
        "Italian": "il la gli di che un una è per con del della non sono i nel da le si alla",
        "Portuguese": "os e de que um uma é em não com para da na se por foi mas mais seu sua ao",
        "Dutch": "de het een en van dat die niet op te zijn met voor aan er door als ook bij uit",
        "Swedish": "och att det som en på är av för med den inte ett till har om sig han var vid",
        "Polish": "w na z się nie że jest jak po za od przez dla oraz jego ale są jej który lub",
        "Turkish": "ve bir bu da de için ile ne çok gibi daha olan olarak kadar sonra ama değil mi",
        "Indonesian": "yang dan di dari untuk dengan pada ini itu tidak dalam akan ke oleh adalah",
        "Russian": "и в не на что с он как по это но из у за от его для она их был",
        "Ukrainian": "і в не на що з він як до це але та за від його для є про вона у",
    }.items()
}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """The English name of a text's language; None where nothing tells it.

    The language with the most common words, at least two and more than any other has.
    """
    text = text[:LOOKED_AT]
    scripts = Counter(_script(one) for one in text if one.isalpha())
    told = {BY_SCRIPT[one] for one in scripts if one in BY_SCRIPT}
    of_script = sum(count for one, count in scripts.items() if one in BY_SCRIPT)
    if 2 * of_script > sum(scripts.values()):
        beside = next((one for one in WITH_CHINESE if one in told), None)
        most = max((one for one in scripts if one in BY_SCRIPT), key=lambda one: scripts[one])
        return beside if beside and "Chinese" in told else BY_SCRIPT[most]
    words = _WORD.findall(text.lower())
    hits = {name: sum(one in common for one in words) for name, common in COMMON_WORDS.items()}
    (name, most_hits), (_, second) = Counter(hits).most_common(2)
    return name if most_hits >= FEWEST_HITS and most_hits > second else None


def languages(texts: Iterable[str]) -> Counter[str]:
    """How many texts are in each language, of those of which it can be told."""
    return Counter(found for one in texts if (found := language_of(one)) is not None)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "OTHER").split(" ")[0]
