import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from shutil import copytree

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import AmicusError
from policies.rulebook import SIGNALS
from retrieval.encoder import open_label_encoder
from tools.classifier import Classifier, open_classifier
from tools.classifier.emoji import emoji_words, spoken
from tools.classifier.features import Shape, occurrences, vectors
from tools.classifier.tokens import GROUP, forms, tokens
from tools.classifier.weights import MODEL_FOLDER
from tools.classifier.windows import LONG_TOKENS, LONGEST_PART, SHORTEST_PART, windows

THREAT = "I know where you live and I will kill you tonight."
RARER_THREAT = "I know where you live and I am going to stab you tonight."
EVERYDAY = (
    "Made lentil soup for dinner and it turned out better than expected.",
    "The bus was late again so I walked home in the rain.",
    "Happy birthday! I hope you have a lovely day.",
    "Does anybody know a good dentist near the station?",
    "My neighbour is Muslim and brought us cake for the holiday.",
    "Two gay friends of mine are getting married on Saturday.",
    "We lost three to one, but the second half was fun to watch.",
    "Please find the notes of yesterday's meeting below.",
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return open_classifier()


@pytest.fixture(scope="module")
def with_meaning() -> Classifier:
    return open_classifier(open_label_encoder(threads=1))


@pytest.fixture(params=["letters", "meaning"])
def either(
    request: pytest.FixtureRequest, classifier: Classifier, with_meaning: Classifier
) -> Classifier:
    return classifier if request.param == "letters" else with_meaning


def test_every_label_is_a_signal_of_the_rulebook(classifier: Classifier) -> None:
    assert set(classifier.labels) <= set(SIGNALS)
    assert len(classifier.labels) == 10


def test_the_same_text_gets_the_same_scores(either: Classifier) -> None:
    first, second = either.score([THREAT, THREAT])
    assert first == second
    assert either.score(["other", THREAT])[1] == first


def test_many_texts_at_once_get_the_scores_that_each_gets_alone(either: Classifier) -> None:
    long = "\n".join([*EVERYDAY * 8, THREAT])
    texts = [*EVERYDAY, "", long, THREAT, "🔪", *EVERYDAY * 40]
    together = either.score(texts)
    assert [either.score([text])[0] for text in texts[:12]] == together[:12]


def test_a_group_weighs_as_much_as_any_other_in_what_is_counted(classifier: Classifier) -> None:
    texts = [f"My neighbour is {who} and bakes bread." for who in ("Jewish", "French", "gay")]
    assert len({str(said) for said in classifier.score(texts)}) == 1


def test_the_version_names_weights_and_encoder(
    classifier: Classifier, with_meaning: Classifier
) -> None:
    assert classifier.version.startswith("classifier@")
    assert len(classifier.version) == len("classifier@") + 12
    assert classifier.version != with_meaning.version
    assert classifier.version == open_classifier().version


def test_a_rarer_line_is_a_higher_one(either: Classifier) -> None:
    for label in either.labels:
        watch, line = either.watch_thresholds[label], either.thresholds[label]
        assert 0 < watch <= line <= either.strict_thresholds[label] < 1


def test_a_threat_is_over_its_line(either: Classifier) -> None:
    assert either.score([THREAT])[0]["violence"] > either.thresholds["violence"]


def test_a_threat_in_a_rarer_word_needs_the_encoder(
    classifier: Classifier, with_meaning: Classifier
) -> None:
    line = classifier.watch_thresholds["violence"]
    assert classifier.score([RARER_THREAT])[0]["violence"] > line
    assert with_meaning.score([RARER_THREAT])[0]["violence"] > with_meaning.thresholds["violence"]


def test_everyday_sentences_stay_under_the_lines(either: Classifier) -> None:
    for text, scores in zip(EVERYDAY, either.score(EVERYDAY), strict=True):
        over = {x: s for x, s in scores.items() if s > either.thresholds[x]}
        assert not over, text


def test_a_violation_hidden_in_a_long_text_is_found(either: Classifier) -> None:
    filler = "\n".join(EVERYDAY * 15)
    hidden = f"{filler}\n{THREAT}\n{filler}"
    said = either.score([hidden])[0]["violence"]
    assert said > either.watch_thresholds["violence"]
    assert said > either.score([filler])[0]["violence"]


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\x00\x1b[31m\x07", "🔪🐀👨‍👩‍👧", "a" * 20_000, "無視して", "\ud800 half a pair"],
)
def test_odd_texts_have_probabilities(either: Classifier, text: str) -> None:
    scores = either.score([text])[0]
    assert all(0 <= score <= 1 for score in scores.values())
    assert set(scores) == set(either.labels)


def test_an_empty_text_is_under_every_line(either: Classifier) -> None:
    scores = either.score([""])[0]
    assert all(scores[label] < either.thresholds[label] for label in either.labels)


def test_no_texts_have_no_scores(either: Classifier) -> None:
    assert either.score([]) == []


def test_the_words_that_carry_a_label_are_named(classifier: Classifier) -> None:
    words = classifier.words(THREAT, "violence", limit=8)
    assert "kill" in {THREAT[word.start : word.end] for word in words}
    assert [w.weight for w in words] == sorted((w.weight for w in words), reverse=True)


def test_the_words_of_a_long_text_come_from_where_it_violates(classifier: Classifier) -> None:
    text = "\n".join([*EVERYDAY * 10, THREAT, *EVERYDAY * 10])
    start = text.index(THREAT)
    words = classifier.words(text, "violence", limit=3)
    assert words
    assert any(start <= word.start < start + len(THREAT) for word in words)


def test_words_of_an_unknown_label_are_refused(classifier: Classifier) -> None:
    with pytest.raises(AmicusError, match="malicious_link"):
        classifier.words("text", "malicious_link")


def test_an_empty_text_has_no_words(classifier: Classifier) -> None:
    assert classifier.words("", "hate") == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AmicusError, match=r"config\.json"):
        open_classifier(folder=tmp_path)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(copytree(MODEL_FOLDER, tmp_path / "classifier"))


def test_damaged_weights_are_named(copy: Path) -> None:
    weights = copy / "weights.npz"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(AmicusError, match=r"weights\.npz: sha256"):
        open_classifier(folder=copy)


def test_truncated_weights_are_named_even_if_the_hash_was_adapted(copy: Path) -> None:
    _replace_weights(copy, (copy / "weights.npz").read_bytes()[:5000])
    with pytest.raises(AmicusError, match=r"weights\.npz: not readable"):
        open_classifier(folder=copy)


def test_a_pickle_is_not_loaded(copy: Path) -> None:
    trap = copy / "trap.npz"
    np.savez(trap, idf=np.asarray([{"a": "pickled dict"}], dtype=object))
    _replace_weights(copy, trap.read_bytes())
    with pytest.raises(AmicusError, match=r"weights\.npz: not readable"):
        open_classifier(folder=copy)


def _replace_weights(folder: Path, content: bytes) -> None:
    import hashlib

    (folder / "weights.npz").write_bytes(content)
    config = json.loads((folder / "config.json").read_text())
    config["weights_sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))


def test_a_config_with_a_strange_field_is_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"colour": "red"}))
    with pytest.raises(AmicusError, match=r"config\.json: colour"):
        open_classifier(folder=copy)


class AnotherEncoder:
    name = "another@000000000000"

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.zeros((len(texts), 16), dtype=np.float32)


def test_an_encoder_that_the_weights_were_not_made_with_is_refused() -> None:
    with pytest.raises(AmicusError, match="another@000000000000"):
        open_classifier(AnotherEncoder())


def test_tokens_stand_where_they_say() -> None:
    text = "Call 07700 900456 NOW!!! f**k 👳🏾 a@b.example fr\u200bee https://x.example/y"
    found = [(token.form, text[token.start : token.end]) for token in tokens(text)]
    assert ("#11", "07700 900456") in found
    assert ("now", "NOW") in found
    assert ("f**k", "f**k") in found
    assert ("👳", "👳") in found
    assert ("<email>", "a@b.example") in found
    assert ("free", "fr\u200bee") in found
    assert ("<link>", "https://x.example/y") in found


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_features_exist_for_any_text(text: str) -> None:
    found = tokens(text)
    assert all(a.end <= b.start or a.start == b.start for a, b in pairwise(found))
    assert forms(text) == [token.form for token in found]
    seen = occurrences([forms(text)], Shape(12, 12))
    if found:
        assert 0 <= seen.feature.min() <= seen.feature.max() < Shape(12, 12).size
        assert set(seen.token.tolist()) == set(range(len(found)))
    else:
        assert not len(seen.feature)


def test_features_are_the_same_on_every_platform() -> None:
    seen = occurrences([["free", "🔪"]], Shape(18, 17))
    assert int(seen.feature.sum()) == 2_643_362


def test_what_a_text_becomes_does_not_depend_on_its_neighbours() -> None:
    shape = Shape(12, 12)
    texts = [forms("free money for you"), [], forms("you win"), forms("free")]
    idf = np.ones(shape.size, dtype=np.float32)
    together = vectors(occurrences(texts, shape), idf, shape)
    for number, text in enumerate(texts):
        alone = vectors(occurrences([text], shape), idf, shape)
        here = together.owner == number
        assert together.feature[here].tolist() == alone.feature.tolist()
        assert together.value[here].tolist() == alone.value.tolist()


def test_names_of_groups_are_read_as_one_word() -> None:
    assert forms("Muslim jews and a SIKH'S rights") == [GROUP, GROUP, "and", "a", GROUP, "rights"]


def test_an_emoji_is_read_with_its_words() -> None:
    assert forms("you 🐀!") == ["you", "🐀", "rat", "!"]
    assert emoji_words("x") == ()
    assert spoken("you 🐀") == "you rat"
    assert spoken("no picture — here…") == "no picture — here…"


@given(st.lists(st.sampled_from(["word", "stop.", "line\n", "no!", "🔪", "x"]), max_size=400))
@settings(deadline=None)
def test_every_word_of_a_long_text_is_read_in_a_short_part(words: list[str]) -> None:
    text = " ".join(words)
    found = tokens(text)
    whole, *parts = windows(text, found)
    assert whole == (0, len(found))
    assert bool(parts) == (len(found) > LONG_TOKENS)
    if parts:
        assert {at for start, end in parts for at in range(start, end)} == set(range(len(found)))
        assert all(SHORTEST_PART <= end - start <= LONGEST_PART for start, end in parts)


def test_a_long_text_without_a_full_stop_is_cut_into_overlapping_parts() -> None:
    text = "word " * 100
    _, *parts = windows(text, tokens(text))
    assert len(parts) > 4
    assert all(b[0] - a[0] <= LONGEST_PART // 2 for a, b in pairwise(parts))


class Detector:
    """Finds an order in every text that holds the word."""

    name = "detector@1"
    strict_line, line, watch_line = 0.9, 0.8, 0.3

    def score(self, text: str) -> float:
        return 0.95 if "order" in text else 0.05


def test_a_detector_speaks_for_injections_and_for_nothing_else(classifier: Classifier) -> None:
    full = open_classifier(detector=Detector())
    texts = ["an order", *EVERYDAY]

    assert [scores["injection"] for scores in full.score(texts)] == [0.95, *[0.05] * len(EVERYDAY)]
    for own, plain in zip(full.score(texts), classifier.score(texts), strict=True):
        assert {**own, "injection": 0} == {**plain, "injection": 0}


def test_the_lines_of_injections_are_then_the_detectors(classifier: Classifier) -> None:
    full = open_classifier(detector=Detector())

    assert full.strict_thresholds == {**classifier.strict_thresholds, "injection": 0.9}
    assert full.thresholds == {**classifier.thresholds, "injection": 0.8}
    assert full.watch_thresholds == {**classifier.watch_thresholds, "injection": 0.3}
    assert full.version != classifier.version
