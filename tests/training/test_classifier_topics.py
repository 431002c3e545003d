"""The posts of the reader's topics, as the classifier learns from them."""

from pathlib import Path
from typing import Any

import pytest

from errors import InputError
from policies.rulebook import Signal
from training.classifier.groups import groups
from training.classifier.rows import LABELS
from training.classifier.topic_posts import HARMLESS_SHARE, topic_labels, topic_rows
from training.reader.texts import is_kept, topics

TABLE = """
[[kind]]
topics = ["harm.threats", "money.spam"]
does = ["violence"]
unsure = ["offensive", "spam"]
aside_unsure = ["violence"]

[[harmless]]
part = "everyday"
absent = ["hate"]
except = ["everyday.taunts"]
"""


def table(tmp_path: Path, text: str = TABLE) -> Path:
    file = tmp_path / "labels.toml"
    file.write_text(text)
    return file


def topic(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "does": ["I will break your jaw"],
        "near": ["the storm may break a window", "he broke his own jaw"],
        "exception": [{"texts": ["he wrote to me: I will break your jaw"]}],
    }


def test_a_post_that_breaks_the_rule_carries_what_the_table_says(tmp_path: Path) -> None:
    does, *near, aside = topic_rows([topic("harm.threats")], topic_labels(table(tmp_path)))
    assert does.known["violence"] == 1
    assert does.known["hate"] == 0
    assert "offensive" not in does.known
    assert all(row.known["violence"] == row.known["spam"] == 0 for row in near)
    assert "violence" not in aside.known
    assert aside.known["hate"] == 0


@pytest.mark.parametrize("label", ["pii", "offensive"])
def test_two_labels_are_never_spoken_of(label: Signal, tmp_path: Path) -> None:
    rows = list(topic_rows([topic("harm.threats")], topic_labels(table(tmp_path))))
    assert rows
    assert all(label not in row.known for row in rows)


def test_a_harmless_part_only_says_what_is_absent_and_only_where_it_is(tmp_path: Path) -> None:
    labels = topic_labels(table(tmp_path))
    assert labels.known("everyday.soup", "does") == {"hate": 0}
    assert labels.known("everyday.taunts", "near") == {}
    assert labels.known("elsewhere.soup", "near") == {}


def test_a_share_of_the_harmless_posts_is_learnt_from(tmp_path: Path) -> None:
    labels = topic_labels(table(tmp_path))
    many = [topic(f"everyday.{number}") for number in range(300)]
    all_of_them = 4 * sum(not is_kept(each["id"]) for each in many)
    assert len(list(topic_rows(many, labels))) == pytest.approx(
        all_of_them * HARMLESS_SHARE, rel=0.2
    )


def test_a_topic_that_is_kept_is_not_learnt_from() -> None:
    learnt = {row.group_keys[0].removeprefix("topic:") for row in topic_rows()}
    assert learnt
    assert not any(map(is_kept, learnt))


def test_the_posts_of_a_topic_and_their_copies_stay_on_one_side(tmp_path: Path) -> None:
    labels = topic_labels(table(tmp_path))
    group = groups(list(topic_rows([topic("harm.threats"), topic("money.spam")], labels)))
    assert len(set(group.tolist())) == 1


def test_every_topic_of_the_table_exists() -> None:
    known = {each["id"] for each in topics()}
    labels = topic_labels()
    named = {name for kind in labels.kinds for name in kind.topics}
    named |= {name for part in labels.harmless for name in part.excepted}
    assert named <= known


def test_posts_carry_every_label_that_is_spoken_of() -> None:
    carried = {label for row in topic_rows() for label, value in row.known.items() if value}
    assert carried == set(LABELS) - {"pii", "offensive"}


def test_a_label_that_we_do_not_have_is_named(tmp_path: Path) -> None:
    file = table(tmp_path, TABLE.replace('"violence"]\nunsure', '"anger"]\nunsure'))
    with pytest.raises(InputError, match="'anger' is no label"):
        topic_labels(file)


def test_a_topic_of_two_kinds_is_named(tmp_path: Path) -> None:
    file = table(tmp_path, TABLE + '\n[[kind]]\ntopics = ["money.spam"]\n')
    with pytest.raises(InputError, match=r"money\.spam stands in two kinds"):
        topic_labels(file)
