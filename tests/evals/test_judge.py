from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from agent.case import Case
from agent.llm.exchange import Reply, Tokens
from agent.llm.options import LanguageOptions
from agent.llm.unusable import UnusableReplyError
from agent.verdict import Evidence, Provenance, Usage, Verdict, Violation
from commands import measure
from commands.group import AmicusGroup
from errors import InputError, ModelError, UsageError
from evals.golden import Expected, GoldenCase
from evals.judge.asking import Judgement, Order, read_answer
from evals.judge.assess import Asked, assess, marking_sheet
from evals.judge.checks import checked
from evals.judge.flaws import planted
from evals.judge.report import Assessment, assessment_data, assessment_table, write_assessment
from evals.judge.rubric import shipped_rubric
from evals.judge.worth import rank_correlation, weighted_kappa, worth
from evals.outcome import Grounding
from evals.run import Manifest, Recorded, Run, Seen, read_run, run
from policies.reading import load_rulebook
from tests.wire.answers import Answer, Reaction
from tests.wire.answers import Asked as WireAsked
from tests.wire.language_models import language_models

RULES = load_rulebook(None)
RUBRIC = shipped_rubric()
NAMES = ("rationale", "citations", "completeness")
TEXT = "Nobody here wants you, @ada, you are a worthless pig."


def ground(**changes: Any) -> Violation:
    section = RULES.section("harassment.1")
    assert section is not None
    fields: dict[str, Any] = {
        "section": "harassment.1",
        "severity": "low",
        "confidence": 0.9,
        "policy_quote": section.rule.split(".")[0] + ".",
        "content_quote": "you are a worthless pig",
        "why": "harassment.1 forbids to degrade somebody who is tagged.",
    }
    return Violation(**(fields | changes))


def verdict(case_id: str, **changes: Any) -> Verdict:
    fields: dict[str, Any] = {
        "case_id": case_id,
        "decision": "violating",
        "action": "label",
        "severity": "low",
        "violations": (ground(),),
        "abstain_reason": None,
        "confidence": 0.9,
        "rationale": f"Case {case_id} insults somebody who is tagged.",
        "counterargument": "It may be banter between friends.",
        "needs_human": False,
        "needs_human_because": (),
        "evidence": (),
        "sections_considered": ("harassment.1",),
        "precedents": (),
        "provenance": Provenance(rulebook=RULES.id, model="m", prompts="p", tools={}),
        "usage": Usage(),
    }
    return Verdict(**(fields | changes))


def record(
    case_id: str = "g-1",
    *,
    case: Mapping[str, Any] | None = None,
    seen: Seen | None = None,
    **changes: Any,
) -> Recorded:
    return Recorded(
        case_id=case_id,
        case=Case(id=case_id, **({"text": TEXT} | dict(case or {}))),
        expected=Expected(decision="violating", sections=("harassment.1",)),
        source="written for this test",
        verdict=verdict(case_id, **changes),
        seen=seen or Seen(),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of four verdicts."""
    golden = [
        GoldenCase(
            Case(id=f"g-{n}", text=TEXT),
            Expected(decision="violating", sections=("harassment.1",)),
            {},
            "written for this test",
        )
        for n in range(1, 5)
    ]
    made_of = Manifest(
        golden="sha256:g",
        cases=4,
        rulebook=RULES.id,
        model="openai:small@retrieved",
        prompts="p",
        code="c",
    )
    out = tmp_path / "finished"
    run(golden, lambda case: (verdict(case.id), Seen()), out, made_of)
    return out


def failing(**made: Any) -> list[str]:
    """The checks that one verdict fails."""
    shares = checked([record(**made)], RULES, list(RUBRIC.checks))
    return [name for name, share in shares.items() if share.n and share.value == 0.0]


def test_a_sound_verdict_passes_every_check() -> None:
    assert failing() == []


@pytest.mark.parametrize(
    ("made", "failed"),
    [
        ({"rationale": "Bad."}, "has a rationale"),
        ({"violations": (ground(why="rude"),)}, "rationale names what is cited"),
        (
            {"violations": (ground(policy_quote="Do not breathe."),)},
            "policy quotes stand",
        ),
        ({"violations": (ground(content_quote="you are a dear"),)}, "content quotes stand"),
        ({"counterargument": " "}, "argues against itself"),
        ({"needs_human": True, "needs_human_because": (" ",)}, "says why a person is needed"),
        (
            {"case": {"text": f"{TEXT} https://a.example", "links": ("https://a.example",)}},
            "looked at what the case holds",
        ),
        (
            {"seen": Seen(grounding=Grounding(names_unasked_tool=True))},
            "speaks of no tool that gave no answer",
        ),
    ],
)
def test_code_finds_what_is_wrong_with_the_words(made: Mapping[str, Any], failed: str) -> None:
    assert failing(**made) == [failed]


def test_a_section_that_is_not_there_fails_all_that_rests_on_it() -> None:
    wrong = ground(section="harassment.9", why="harassment.9 forbids it")
    assert failing(violations=(wrong,)) == [
        "cited sections exist",
        "policy quotes stand",
        "cites an acceptable section",
    ]


def test_a_look_up_that_was_made_counts() -> None:
    found = Evidence(tool="url_reputation", finding="nothing known")
    assert failing(case={"links": ("https://a.example",)}, evidence=(found,)) == []


def test_an_abstention_is_asked_for_its_reason_alone() -> None:
    silent = {"decision": "abstain", "violations": ()}
    assert failing(**silent) == ["abstention gives its reason"]
    assert failing(**silent, abstain_reason="policy_gap") == []


def test_one_rationale_for_all_is_no_rationale() -> None:
    records = [record("g-1", rationale="It breaks a rule, plainly."), record("g-2"), record("g-3")]
    records.append(record("g-4", rationale="It breaks a rule, plainly."))
    share = checked(records, RULES, ["rationale is about this case"])
    assert share["rationale is about this case"].value == 0.5


def test_a_check_that_never_applies_measures_nothing() -> None:
    shares = checked([record()], RULES, ["abstention gives its reason"])
    assert math.isnan(shares["abstention gives its reason"].value)


def marks(*given: int, unsupported: Sequence[str] = ()) -> str:
    named = dict(zip(NAMES, given, strict=True))
    answer: dict[str, Any] = {"unsupported": list(unsupported)}
    answer |= {name: {"because": "the words say so", "mark": m} for name, m in named.items()}
    return json.dumps(answer)


def said(text: str) -> Reply:
    return Reply(text, (), "stop", Tokens())


def test_marks_are_read_with_their_reasons() -> None:
    found = read_answer(said(f"```json\n{marks(5, 3, 1)}\n```"), RUBRIC, spoken=[]).marks
    assert {name: mark.mark for name, mark in found.items()} == dict(
        zip(NAMES, (5, 3, 1), strict=True)
    )


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "Five out of five!",
        "{}",
        marks(5, 3, 6),
        marks(0, 3, 3),
        marks(5, 3, 1).replace("5", "4.5"),
        marks(5, 3, 1).replace("5", '"five"'),
        marks(5, 3, 1).replace("5", "true"),
        marks(5, 3, 1).replace("5", "null"),
        marks(5, 3, 1)[:-20],
        marks(5, 3, 1) + marks(1, 1, 1),
        marks(5, 3, 1).replace('"completeness"', '"kindness"'),
        marks(5, 3, 1).replace("{", '{"total": 9, ', 1),
        marks(5, 3, 1).replace("the words say so", ""),
        marks(5, 3, 1).replace('"unsupported": []', '"unsupported": "none"'),
        marks(5, 3, 1, unsupported=["It insults his mother."]),
    ],
)
def test_nonsense_is_no_mark(nonsense: str) -> None:
    with pytest.raises(UnusableReplyError):
        read_answer(said(nonsense), RUBRIC, spoken=["It insults."])


def judged_at(
    folder: Path,
    script: Callable[[WireAsked], Reaction],
    *,
    wire: str = "openai",
    name: str = "large",
    **asked: Any,
) -> tuple[Assessment, Sequence[WireAsked]]:
    with language_models(script) as server:
        language = LanguageOptions(
            keys={wire: server.key},
            urls={"openai": server.openai_url, "anthropic": server.anthropic_url},
        )
        found = assess(
            folder,
            RULES,
            Asked(model=f"{wire}:{name}", **asked),
            language=language,
            home=folder,
        )
    return found, server.asked


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_judge_gives_marks_through_the_real_sdk(folder: Path, wire: str) -> None:
    found, asked = judged_at(folder, lambda _: Answer(marks(5, 4, 2)), wire=wire)

    assert len(asked) == 8
    data = assessment_data(found)
    assert data["judge"] == f"{wire}:large"
    assert [data["criteria"][name]["mean"]["value"] for name in NAMES] == [5.0, 4.0, 2.0]
    assert data["criteria"]["rationale"]["proven"] is False
    assert "the judge was not measured" in data["criteria"]["rationale"]["unproven"][0]
    assert "UNPROVEN" in assessment_table(found)


def test_each_verdict_is_judged_in_both_orders(folder: Path) -> None:
    _, asked = judged_at(folder, lambda _: Answer(marks(3, 3, 3)), limit=1)

    forwards, backwards = asked
    assert forwards.system.index("## rationale") < forwards.system.index("## completeness")
    assert backwards.system.index("## rationale") > backwards.system.index("## completeness")
    assert forwards.last_words.index(" text]]") < forwards.last_words.index(" verdict]]")
    assert backwards.last_words.index(" text]]") > backwards.last_words.index(" verdict]]")


def test_a_judge_sees_neither_the_model_nor_its_confidence(folder: Path) -> None:
    _, asked = judged_at(folder, lambda _: Answer(marks(3, 3, 3)), limit=1)
    for one in asked:
        assert "openai:small" not in one.system + one.last_words
        assert "confidence" not in one.last_words


def test_nonsense_on_every_verdict_is_an_error_and_no_zero(folder: Path) -> None:
    with pytest.raises(ModelError) as caught:
        judged_at(folder, lambda _: Answer("Ten out of ten!"))
    assert "no usable marks on any of 4 verdicts" in caught.value.message
    assert "no JSON object" in caught.value.message
    assert caught.value.hint


def test_what_was_not_judged_counts_nowhere_and_is_told(folder: Path) -> None:
    def sometimes(asked: WireAsked) -> Answer:
        return Answer("no idea" if "g-2" in asked.last_words else marks(4, 4, 4))

    found, _ = judged_at(folder, sometimes)

    data = assessment_data(found)
    assert data["unjudged"] == 2
    assert data["criteria"]["rationale"]["mean"] == {"value": 4.0, "low": 4.0, "high": 4.0, "n": 3}
    assert "2 judgements gave no usable marks" in assessment_table(found)


def test_samples_are_drawn_warm_and_apart(folder: Path) -> None:
    _, asked = judged_at(folder, lambda _: Answer(marks(3, 3, 3)), limit=1, samples=3)
    assert len(asked) == 6
    assert {one.body["seed"] for one in asked} == {0, 1, 2}
    assert all(one.body["temperature"] > 0 for one in asked)


def test_a_model_that_judges_itself_is_told_off(folder: Path) -> None:
    found, _ = judged_at(folder, lambda _: Answer(marks(5, 5, 5)), name="small")
    assert found.judges_itself
    assert "it judges the words of its own model" in found.worths()["rationale"].unproven


def people(folder: Path, *labels: Mapping[str, Any]) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ({"case_id": "g-1"}, "the field 'rationale' is missing"),
        ({"case_id": "g-1", "rationale": 6, "citations": 1, "completeness": 1}, "rationale=6"),
        ({"case_id": "g-9", "rationale": 1, "citations": 1, "completeness": 1}, "no case 'g-9'"),
        ({"case_id": "g-2", "rationale": 1, "citations": 1, "completeness": 1}, "marked before"),
    ],
)
def test_a_bad_human_mark_is_named_with_its_line(
    label: Mapping[str, Any], message: str, folder: Path
) -> None:
    good = {"case_id": "g-2", "rationale": 1, "citations": 1, "completeness": 1}
    with pytest.raises(InputError) as caught:
        judged_at(folder, lambda _: Answer(marks(3, 3, 3)), labels=people(folder, good, label))
    assert "labels.jsonl:2" in caught.value.message
    assert message in caught.value.message


def test_labelled_verdicts_are_judged_first(folder: Path) -> None:
    label = {"case_id": "g-4", "rationale": 3, "citations": 3, "completeness": 3}
    found, _ = judged_at(
        folder, lambda _: Answer(marks(3, 3, 3)), labels=people(folder, label), limit=1, seed=5
    )
    assert [one.case_id for one in found.records] == ["g-4"]
    assert found.worths()["rationale"].agreement.n <= 1


def test_a_claim_without_a_ground_is_counted_where_the_verdict_makes_it(folder: Path) -> None:
    claim = "insults somebody who is tagged"

    def found_in_two(asked: WireAsked) -> Answer:
        named = "Case g-1" in asked.last_words or "Case g-2" in asked.last_words
        return Answer(marks(3, 3, 3, unsupported=[claim] if named else []))

    data = assessment_data(judged_at(folder, found_in_two)[0])

    assert data["unsupported_claims"]["value"] == 0.5
    assert data["unsupported_claims"]["n"] == 4
    assert data["unsupported_claims"]["proven"] is False


def test_a_judge_that_notices_planted_flaws_is_told_from_one_that_does_not(folder: Path) -> None:
    def attentive(asked: WireAsked) -> Answer:
        words = asked.last_words
        silent = '"counterargument": ""' in words
        elsewhere = '"section": "childsafety.1"' in words
        return Answer(marks(3, 1 if elsewhere else 4, 2 if silent else 4))

    found, asked = judged_at(folder, attentive, planted=3)
    data = assessment_data(found)["criteria"]

    assert len(asked) == 2 * (4 + 3 * 3)
    assert data["citations"]["notices_flaws"]["value"] == 1.0
    assert data["completeness"]["notices_flaws"]["value"] == 1.0
    assert data["rationale"]["notices_flaws"]["value"] == 0.0
    assert data["rationale"]["mean"]["n"] == 4
    assert any("flaws planted for it" in doubt for doubt in data["rationale"]["unproven"])
    assert "notices planted flaws" in assessment_table(found)


def test_a_flaw_is_planted_where_there_is_something_to_spoil() -> None:
    quiet = record("g-1", decision="allowed", violations=(), counterargument=" ")
    assert planted([quiet], RULES, most=5, seed=0) == []
    found = planted([record("g-1"), record("g-2")], RULES, most=1, seed=0)
    assert [flaw.criterion for flaw in found] == list(NAMES)
    changed = {
        flaw.criterion: {
            name
            for name in ("rationale", "violations", "counterargument")
            if getattr(flaw.sound.verdict, name) != getattr(flaw.spoilt.verdict, name)
        }
        for flaw in found
    }
    assert changed == {
        "rationale": {"rationale"},
        "citations": {"violations"},
        "completeness": {"counterargument"},
    }


def test_a_sheet_that_people_filled_in_is_read_back(folder: Path) -> None:
    file = folder / "sheet.jsonl"
    assert marking_sheet(folder, file, Asked(limit=3)) == 3
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert all(set(line) == {"case_id", *NAMES, "read"} for line in lines)
    assert all(line["rationale"] is None and TEXT in line["read"]["text"] for line in lines)
    lines[0] |= {"rationale": 4, "citations": 5, "completeness": 2}
    filled = people(folder, *lines)

    found, _ = judged_at(folder, lambda _: Answer(marks(3, 3, 3)), labels=filled)

    assert found.labels == {
        lines[0]["case_id"]: {"rationale": 4, "citations": 5, "completeness": 2}
    }
    lines[1]["rationale"] = 4
    with pytest.raises(InputError, match="citations=None"):
        judged_at(folder, lambda _: Answer(marks(3, 3, 3)), labels=people(folder, *lines))


MarkOf = Callable[[int, Order], int]


def measured(mark_of: MarkOf, people_of: Callable[[int], int] | None, n: int = 60) -> Any:
    """The worth of a judge that is a function, on n verdicts of growing length."""
    records = [record(f"g-{k}", rationale="x" * (20 + 7 * k)) for k in range(n)]
    orders: tuple[Order, ...] = ("forwards", "backwards")
    judgements = [
        Judgement(f"g-{k}", order, 0, dict.fromkeys(NAMES, mark_of(k, order)), {})
        for k in range(n)
        for order in orders
    ]
    labels = {f"g-{k}": dict.fromkeys(NAMES, people_of(k)) for k in range(n)} if people_of else {}
    return worth("rationale", judgements, records, labels)


def quality(k: int) -> int:
    return 1 + (k * 7) % 5


def test_a_judge_that_agrees_with_people_is_proven() -> None:
    found = measured(lambda k, _: quality(k), quality)
    assert found.agreement.value == pytest.approx(1.0)
    assert found.unproven == ()


def test_without_people_nothing_is_proven() -> None:
    assert "the judge was not measured" in measured(lambda k, _: quality(k), None).unproven[0]


def test_a_judge_that_says_anything_is_found_out() -> None:
    found = measured(lambda k, _: 1 + (k * 13) % 4, quality)
    assert any("agree with people" in doubt for doubt in found.unproven)


def test_a_judge_that_favours_an_order_is_found_out() -> None:
    found = measured(
        lambda k, order: min(5, quality(k) + (2 if order == "forwards" else 0)), quality
    )
    assert found.by_order.value > 0.5
    assert any("order" in doubt for doubt in found.unproven)


def test_a_judge_that_favours_length_is_found_out() -> None:
    found = measured(lambda k, _: min(5, quality(k) + k // 20), quality)
    assert found.by_length.value > 0.3
    assert any("length" in doubt for doubt in found.unproven)


def test_few_marks_of_people_prove_nothing() -> None:
    found = measured(lambda k, _: quality(k), quality, n=12)
    assert found.unproven == ("people have marked 12 verdicts, 30 are needed",)


@pytest.mark.parametrize("seed", range(4))
def test_kappa_and_rank_correlation_agree_with_the_libraries(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(1, 6, 50).astype(float)
    b = np.clip(a + rng.integers(-1, 2, 50), 1, 5).astype(float)
    kappa = cohen_kappa_score(a, b, weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert weighted_kappa(a, b) == pytest.approx(float(kappa), abs=1e-9)
    assert rank_correlation(a, b) == pytest.approx(float(spearmanr(a, b).statistic), abs=1e-9)
    twice = np.repeat(a, 2), np.repeat(b, 2)
    assert rank_correlation(*twice) == pytest.approx(
        rank_correlation(a, b, np.full(50, 2.0)), abs=1e-9
    )


def test_one_and_the_same_mark_measures_nothing() -> None:
    assert math.isnan(weighted_kappa(np.full(5, 3.0), np.full(5, 3.0)))
    assert math.isnan(rank_correlation(np.full(5, 3.0), np.arange(5.0)))


def test_another_rulebook_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"rulebook": "sha256:other"}))
    with pytest.raises(InputError, match="made with the rulebook sha256:other"):
        assess(folder, RULES, Asked(), language=LanguageOptions(), home=folder)


def test_a_judge_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no judge model 'wise'"):
        assess(folder, RULES, Asked("wise"), language=LanguageOptions(), home=folder)


def test_without_a_judge_code_checks_and_says_what_it_cannot(folder: Path, tmp_path: Path) -> None:
    found = assess(folder, RULES, Asked("none"), language=LanguageOptions(), home=folder)
    data = write_assessment(found, tmp_path / "judge")

    assert data["criteria"] == {}
    assert data["checks"]["policy quotes stand"]["value"] == 1.0
    assert data["checks"]["policy quotes stand"]["n"] == 4
    assert len(data["cannot"]) >= 4
    assert not (tmp_path / "judge" / "marks.jsonl").exists()
    assert isinstance(read_run(folder), Run)


def test_the_command_checks_a_run_and_writes_beside_it(folder: Path) -> None:
    app = typer.Typer(cls=AmicusGroup)
    measure.register(app)

    done = CliRunner().invoke(
        app, ["judge", str(folder), "--json"], env={"AMICUS_HOME": str(folder / "home")}
    )

    assert done.exit_code == 0, done.stderr
    written = json.loads((folder / "judge" / "judge.json").read_text("utf-8"))
    assert json.loads(done.stdout) == written
    assert written["judge"] is None
