"""The shipped reader of policy text: it reads the rule and points at words."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest

from errors import RecordsError
from retrieval.reader import Reader, open_reader
from retrieval.spoken import spoken

INSULT = "You are a pathetic loser and nobody likes you."
BANS_INSULTS = "Do not insult or humiliate other people."


@pytest.fixture(scope="module")
def reader() -> Reader:
    return open_reader(threads=1)


@pytest.mark.parametrize(
    ("strict", "lenient", "case"),
    [
        (BANS_INSULTS, "You may insult other people.", INSULT),
        (BANS_INSULTS, "No links.", INSULT),
        ("No links.", "Links are welcome.", "Photos are here: https://photos.example/party"),
        ("Posts about goats are removed.", "Posts about goats are welcome.", "Two goats escaped!"),
    ],
)
def test_another_wording_gives_another_answer(
    reader: Reader, strict: str, lenient: str, case: str
) -> None:
    assert reader.read(strict, case).log_odds > 0 > reader.read(lenient, case).log_odds


@pytest.mark.parametrize(
    ("forbids", "allows"),
    [
        (BANS_INSULTS, "You may insult other people."),
        ("Posts about goats are removed.", "Posts about goats are welcome."),
        ("Parking tips are out of place here.", "Parking tips are what this board is for."),
    ],
)
def test_what_a_rule_wants_of_its_subject_is_read_from_the_rule(
    reader: Reader, forbids: str, allows: str
) -> None:
    assert reader.itself(forbids) > 0 > reader.itself(allows)


def test_what_a_rule_wants_moves_every_case_under_it_alike(reader: Reader) -> None:
    moved = {
        round(reader.read(BANS_INSULTS, case).log_odds - reader.raw(BANS_INSULTS, case).log_odds, 6)
        for case in (INSULT, "Two goats escaped!", "See you at eight.")
    }
    assert moved == {round(reader.stance.shift(reader.itself(BANS_INSULTS)), 6)}


def test_an_empty_rule_wants_nothing(reader: Reader) -> None:
    assert reader.itself("") == 0


def test_confirming_a_rule_does_not_weaken_it(reader: Reader) -> None:
    assert reader.read(f"{BANS_INSULTS} This rule is in force.", INSULT).log_odds > 0


def test_an_exception_that_is_added_for_counter_speech_moves_the_answer(reader: Reader) -> None:
    quoted = "Calling refugees rats is disgusting. Whoever says so should be ashamed."
    rule = "Do not call people animals because of their origin."
    closed = f"{rule} Quoting it counts as well, even to condemn it."
    opened = f"{rule} Quoting it to condemn it is allowed."
    assert reader.read(closed, quoted).log_odds > reader.read(opened, quoted).log_odds + 1


def test_the_words_that_it_points_at_stand_in_the_case(reader: Reader) -> None:
    case = "🐖 See you there at the unbelievable party"
    start, end = reader.read('Do not use the word "unbelievable".', case).words
    assert 0 <= start < end <= len(case)
    assert "unbelievable" in case[start:end]


def test_words_are_not_cut_in_two(reader: Reader) -> None:
    case = f"It is unbelievable. {INSULT}"
    start, end = reader.read('Do not use the word "unbelievable".', case).words
    assert start == 0 or not (case[start - 1].isalnum() and case[start].isalnum())
    assert end == len(case) or not (case[end - 1].isalnum() and case[end].isalnum())


def test_a_violation_at_the_end_of_a_long_case_is_read(reader: Reader) -> None:
    case = "We walked along the river and had soup. " * 30 + INSULT
    reading = reader.read(BANS_INSULTS, case)
    assert reading.log_odds > 0
    assert reading.words[0] > len(case) // 2


@pytest.mark.parametrize("case", ["", "   ", "\u200d"])
def test_an_empty_case_breaks_nothing(reader: Reader, case: str) -> None:
    assert reader.read(BANS_INSULTS, case).log_odds < -5


def test_the_same_pair_is_read_the_same_way_by_another_instance(reader: Reader) -> None:
    assert open_reader(threads=1).read(BANS_INSULTS, INSULT) == reader.read(BANS_INSULTS, INSULT)


def test_half_a_surrogate_pair_is_no_error(reader: Reader) -> None:
    assert reader.read("No links.", "smile \ud83d").words[1] <= len("smile \ud83d")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("you 🐖!", "you  pig !"),
        ("👍🏿", " thumbs up sign "),
        ("🇩🇪", "de"),
        ("plain", "plain"),
        ("naïve", "naïve"),
    ],
)
def test_an_emoji_is_read_as_its_name(text: str, said: str) -> None:
    words = spoken(text)
    assert words.text == said
    assert len(words.origins) == len(said)


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "model.onnx").write_bytes(b"something else")
    with pytest.raises(RecordsError, match="is damaged"):
        open_reader(folder=folder)


def test_a_missing_model_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="cannot read") as caught:
        open_reader(folder=tmp_path / "none")
    assert "models/reader" in str(caught.value.hint)


def test_a_tokenizer_that_the_model_was_not_made_with_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["tokenizer"] = "0" * 64
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(RecordsError, match="is damaged"):
        open_reader(folder=folder)


def test_reader_and_sentence_model_together_stay_under_50_megabytes() -> None:
    folders = [resources.files("models") / name for name in ("reader", "embedder")]
    sizes = [len(f.read_bytes()) for folder in folders for f in folder.iterdir() if f.is_file()]
    assert sum(sizes) < 50_000_000


def copied(tmp_path: Path) -> Path:
    with resources.as_file(resources.files("models") / "reader") as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "reader"))
