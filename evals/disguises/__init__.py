"""How people hide words from a filter: pure functions to train, attack and measure with."""

from evals.disguises.transforms import (
    DISGUISES,
    Disguise,
    bracketing,
    dotting,
    emoji_for_words,
    homoglyphs,
    leet,
    letter_spacing,
    mixed_case,
    repeated_letters,
    reversed_words,
    zero_width,
)

__all__ = [
    "DISGUISES",
    "Disguise",
    "bracketing",
    "dotting",
    "emoji_for_words",
    "homoglyphs",
    "leet",
    "letter_spacing",
    "mixed_case",
    "repeated_letters",
    "reversed_words",
    "zero_width",
]
