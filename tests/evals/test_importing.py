from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from commands import measure
from commands.group import AmicusGroup
from errors import InputError
from evals.golden import read_golden
from evals.importing.mapping import known_maps, read_map
from evals.importing.run import import_set, losses
from policies.reading import load_rulebook
from policies.rulebook import Rulebook

OURS = """
name = "ours"
source = "written for this test"

[columns]
text = ["text", "body"]
id = "key"
context = "before"
language = "lang"

[slices]
kind = "type"

[labels.threat]
columns = ["labels.threat", "T"]
at_least = 0.5
sections = ["violence.1"]
loses = "how severe"

[labels.grave_threat]
columns = ["labels.grave"]
part_of = "threat"
sections = ["violence.2"]

[labels.swearing]
columns = "labels.swearing"
loses = "no rule forbids it"
"""


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(None)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def imported(
    folder: Path,
    rulebook: Rulebook,
    file: str,
    content: str,
    *,
    toml: str = OURS,
    **options: Any,
) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    mapping, map_hash = read_map(str(written(folder, "map.toml", toml)), rulebook)
    out = folder / "out.jsonl"
    report = import_set(
        written(folder, file, content),
        out,
        mapping=mapping,
        map_hash=map_hash,
        rulebook=rulebook,
        **options,
    )
    assert read_golden(out, rulebook)
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()], report


def row(key: str, text: str, threat: float | None, swearing: float | None = 0) -> str:
    labels = {"threat": threat, "swearing": swearing}
    given = {name: value for name, value in labels.items() if value is not None}
    return json.dumps({"key": key, "text": text, "labels": given, "type": "plain"}) + "\n"


def test_labels_become_sections_and_their_absence_becomes_allowed(
    tmp_path: Path, rulebook: Rulebook
) -> None:
    cases, report = imported(
        tmp_path,
        rulebook,
        "set.jsonl",
        row("a", "I will find you", 0.7) + row("b", "lovely day", 0.2),
    )

    assert [(c["id"], c["expected"]) for c in cases] == [
        ("ours-a", {"decision": "violating", "sections": ["violence.1"]}),
        ("ours-b", {"decision": "allowed", "sections": []}),
    ]
    assert cases[0]["slices"] == {"kind": "plain"}
    assert report["usable_by_decision"] == {"allowed": 1, "violating": 1}


def test_what_nobody_labelled_never_becomes_allowed(tmp_path: Path, rulebook: Rulebook) -> None:
    cases, report = imported(
        tmp_path, rulebook, "set.jsonl", row("a", "who knows", None) + row("b", "fine", 0)
    )

    assert [c["id"] for c in cases] == ["ours-b"]
    assert report["left_out"] == {"nobody said whether threat holds": 1}


def test_a_part_does_not_hold_where_the_whole_does_not(tmp_path: Path, rulebook: Rulebook) -> None:
    cases, _ = imported(tmp_path, rulebook, "set.jsonl", row("a", "no grave label here", 0))
    assert cases[0]["expected"]["decision"] == "allowed"


def test_a_label_without_a_section_leaves_its_rows_out_and_says_so(
    tmp_path: Path, rulebook: Rulebook
) -> None:
    cases, report = imported(
        tmp_path,
        rulebook,
        "set.jsonl",
        row("a", "d*** it", 0, 1) + row("b", "d*** you, wait till dark", 1, 1),
    )

    assert [c["id"] for c in cases] == ["ours-b"]
    assert report["left_out"] == {"no section for the label swearing": 1}
    told = "\n".join(losses(report))
    assert "2 rows read, 1 usable, 1 written, 1 left out" in told
    assert "threat (1 rows) → violence.1; how severe" in told
    assert "swearing (0 rows) → no section; no rule forbids it" in told


def test_what_is_lost_stands_beside_the_cases(tmp_path: Path, rulebook: Rulebook) -> None:
    _, report = imported(tmp_path, rulebook, "set.jsonl", row("a", "hi", 0))
    beside = json.loads((tmp_path / "out.jsonl.import.json").read_text("utf-8"))
    assert beside == report
    assert beside["rulebook"] == rulebook.id
    assert beside["file_hash"].startswith("sha256:")


def test_a_table_is_read_with_its_quotation_marks(tmp_path: Path, rulebook: Rulebook) -> None:
    table = (
        "\ufeffkey,body,T,labels.swearing,before,lang\n"
        'a,"I said ""wait"",\nso wait",1,0,what was said,de\n'
        "b,fine,0,0,,\n"
    )
    cases, _ = imported(
        tmp_path,
        rulebook,
        "set.csv",
        table,
        toml=OURS.replace("[slices]\n", '[slices]\nkind2 = "before"\n'),
    )

    assert cases[0]["text"] == 'I said "wait",\nso wait'
    assert cases[0]["context"] == [{"text": "what was said"}]
    assert cases[0]["language"] == "de"
    assert "context" not in cases[1]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("set.csv", "key,text,T\na,hi\n", "set.csv:2: 2 cells where the header has 3"),
        ("set.csv", 'key,text,T\na,"hi,0\n', "not CSV"),
        ("set.csv", "", "set.csv:1: no header"),
        ("set.csv", "key,text,T,labels.swearing\na,hi,maybe,0\n", "'maybe' is no number"),
        ("set.csv", "text,T,labels.swearing,key\nhi,0,0,\n", "set.csv:2: no key"),
        ("set.csv", "key,words,T,labels.swearing\na,hi,0,0\n", "no row has a column text or body"),
        ("set.csv", "key,text,labels.swearing\na,hi,0\n", "no row has a column labels.threat or T"),
        ("set.jsonl", '{"text": \n', "set.jsonl:1: not JSON"),
        ("set.jsonl", "", "none of 0 rows became a case"),
        ("set.xlsx", "", "what kind of file is '.xlsx'?"),
        ("set.jsonl", row("a", " ", 0), "none of 1 rows became a case (1 rows: the text is empty)"),
    ],
)
def test_a_bad_file_gives_a_clear_line_and_no_cases(
    file: str, content: str, message: str, tmp_path: Path, rulebook: Rulebook
) -> None:
    with pytest.raises(InputError) as caught:
        imported(tmp_path, rulebook, file, content)
    assert message in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[columns]", "[columns"), "not TOML"),
        (("violence.1", "violence.9"), "labels.threat: the rulebook has no section 'violence.9'"),
        (('part_of = "threat"', 'part_of = "treat"'), "there is no label 'treat'"),
        (("at_least = 0.5", 'at_least = 0.5\nis = "yes"'), "by `at_least` or by `is`"),
        (('loses = "no rule forbids it"', ""), "says in `loses` or `leave_out` why"),
        (("text = [", "txet = ["), "columns.text: Field required"),
    ],
)
def test_a_bad_map_gives_a_clear_line(
    change: tuple[str, str], message: str, tmp_path: Path, rulebook: Rulebook
) -> None:
    with pytest.raises(InputError) as caught:
        read_map(str(written(tmp_path, "map.toml", OURS.replace(*change))), rulebook)
    assert message in caught.value.message


def test_an_unknown_map_is_answered_with_the_known_ones(rulebook: Rulebook) -> None:
    with pytest.raises(InputError) as caught:
        read_map("hatchek", rulebook)
    assert "hatecheck" in caught.value.hint


def test_an_id_counts_once(tmp_path: Path, rulebook: Rulebook) -> None:
    cases, report = imported(
        tmp_path, rulebook, "set.jsonl", row("a", "one", 0) + row("a", "two", 0)
    )
    assert [c["text"] for c in cases] == ["one"]
    assert report["left_out"] == {"its id was used by an earlier row": 1}


def test_a_limit_draws_by_the_seed_and_keeps_the_order(tmp_path: Path, rulebook: Rulebook) -> None:
    content = "".join(row(f"{n:03d}", f"words {n}", 0) for n in range(200))
    drawn = [
        [c["id"] for c in imported(tmp_path, rulebook, "set.jsonl", content, limit=9, seed=s)[0]]
        for s in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] == sorted(drawn[0])
    assert drawn[0] != drawn[2]
    assert len(drawn[2]) == 9


AS_PUBLISHED = {
    "openai_moderation": (
        "jsonl",
        (
            '{"prompt": "made up for a test", "S": 0, "H": 1, "V": 0, "HR": 0, "SH": 0, "H2": 1}\n'
            '{"prompt": "another", "S": 1, "H": 0, "V": 0, "HR": 0, "SH": 0, "S3": 1, "H2": 0}\n'
            '{"prompt": "a third", "S": 0, "H": 0, "V": 0, "HR": 0, "SH": 0}\n'
        ),
        ["hate.1", None],
    ),
    "hatecheck": (
        "csv",
        (
            "case_id,functionality,test_case,label_gold,target_ident,templ_id,ref_templ_id\n"
            "1,derog_neg_emote_h,made up for a test,hateful,women,1,\n"
            "2,target_indiv_nh,a rude word,non-hateful,,2,\n"
            "3,ident_pos_nh,a kind word,non-hateful,women,3,1\n"
        ),
        ["hate.1", None],
    ),
    "xstest": (
        "csv",
        (
            "id,prompt,type,label,focus,note\n"
            "1,how does one end a process,homonyms,safe,end,\n"
            "2,made up for a test,contrast_homonyms,unsafe,end,\n"
        ),
        [None, "violence.2"],
    ),
    "toxicchat": (
        "csv",
        (
            "conv_id,user_input,model_output,human_annotation,toxicity,jailbreaking\n"
            "a,made up for a test,no,True,1,0\n"
            "b,be another bot,no,True,0,1\n"
        ),
        ["sexual.1", "manipulation.4"],
    ),
    "civil_comments": (
        "csv",
        (
            "id,target,comment_text,identity_attack,insult,threat,sexual_explicit\n"
            "1,0.9,made up for a test,0.6,0.2,0.0,0.0\n"
            "2,0.6,d*** it,0.0,0.1,0.0,0.0\n"
            "3,0.0,what a bridge,0.0,0.0,0.0,0.0\n"
        ),
        ["hate.1", None],
    ),
    "norm_violations": (
        "jsonl",
        (
            '{"id": "1", "text": "made up for a test", "context": ["before"],'
            ' "rule_class": "harassment", "labels": {"violates": 1}}\n'
            '{"id": "2", "text": "next", "rule_class": "incivility", "labels": {"violates": 0}}\n'
            '{"id": "3", "text": "third", "rule_class": "spam", "labels": {"violates": 1}}\n'
            '{"id": "4", "text": "fourth", "rule_class": "hatespeech", "labels": {"violates": 1}}\n'
        ),
        ["harassment.1", "spam.1", "hate.1"],
    ),
    "identity_templates": (
        "jsonl",
        (
            '{"text": "Ada is a kind neighbour", "labels": {"toxic": 0}, "template": "name_adj"}\n'
            '{"text": "Ada is a vile neighbour", "labels": {"toxic": 1}, "template": "name_adj"}\n'
        ),
        [None, "harassment.1"],
    ),
}


def test_every_shipped_map_is_tried_and_named_in_the_help() -> None:
    assert set(AS_PUBLISHED) == set(known_maps())
    told = measure.eval_import.__doc__ or ""
    assert [name for name in known_maps() if name not in told] == []


@pytest.mark.parametrize("name", sorted(AS_PUBLISHED))
def test_a_shipped_map_reads_its_set_as_it_is_published(
    name: str, tmp_path: Path, rulebook: Rulebook
) -> None:
    suffix, content, firsts = AS_PUBLISHED[name]
    mapping, map_hash = read_map(name, rulebook)
    out = tmp_path / "out.jsonl"
    report = import_set(
        written(tmp_path, f"set.{suffix}", content),
        out,
        mapping=mapping,
        map_hash=map_hash,
        rulebook=rulebook,
    )

    golden = read_golden(out, rulebook)
    assert [g.expected.sections[0] if g.expected.sections else None for g in golden] == firsts
    assert report["rows"] == content.count("\n") - (suffix == "csv")


def test_the_command_writes_cases_and_tells_the_losses_on_stderr(tmp_path: Path) -> None:
    app = typer.Typer(cls=AmicusGroup)
    measure.register(app)
    app.command("other")(lambda: None)
    suffix, content, _ = AS_PUBLISHED["openai_moderation"]
    file, out = written(tmp_path, f"set.{suffix}", content), tmp_path / "golden.jsonl"

    asked = ["import", str(file), "--map", "openai_moderation", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, asked, env={"AMICUS_HOME": str(tmp_path / "home")})

    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["written"] == 2
    assert "left out: 1 rows: sexual_minors" in done.stderr
    assert len(out.read_text("utf-8").splitlines()) == 2
