"""Replay a verdict: the same code on the same tape must say the same, to the byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agent.case import Case
from agent.graph import judge
from agent.own_call import agreement, own_call
from agent.record import verdict_data
from agent.state import Limits
from agent.tape import played
from agent.verdict import Provenance, Verdict
from errors import InputError, RecordsError, shown
from policies.reading import rulebook_from_files
from policies.rulebook import Rulebook
from records.ledger import LedgerEntry, find_entry, latest
from records.rulebooks import kept_rulebook
from records.store import Records
from records.verdicts import VERDICT_RECORD, whole_payload


@dataclass(frozen=True)
class Replay:
    """A recorded verdict beside the one that its record gives now."""

    entry: LedgerEntry
    case: Case
    rulebook: Rulebook
    recorded: Verdict
    replayed: Verdict
    same: bool
    """Whether both are the same bytes."""


def replay(records: Records, wanted: str) -> Replay:
    """Run a recorded review again, with no model, no index, no tools and no network.

    Args:
        records: Where the ledger is.
        wanted: The id of a case (its latest verdict is taken), or `#N` for record N of the ledger.

    Raises:
        InputError: The ledger holds no such verdict, or its record fits another version of Amicus.
        RecordsError: The rulebook of the record is missing or not the one it was.
    """
    entry = _entry(records, wanted)
    payload: dict[str, Any] = whole_payload(records, entry)
    if "copy_of" in payload:
        raise InputError(
            f"record {entry.seq} takes over the verdict on {shown(str(payload['copy_of']))}",
            hint="replay that case: this one holds the same words and was not reviewed by itself",
        )
    recorded = Verdict.model_validate(payload["verdict"])
    rulebook = _rulebook(records, recorded.provenance)
    desk, player = played(
        payload["tape"],
        rulebook=rulebook,
        provenance=recorded.provenance,
        limits=Limits(**payload["limits"]),
    )
    case = Case.model_validate(payload["case"])
    replayed = judge(case, desk)
    if payload["own"]:
        call = own_call(payload["own"], rulebook)
        replayed = replayed.model_copy(update={"agreement": agreement(replayed, call)})
    same = player.is_over and _bytes(verdict_data(replayed)) == _bytes(payload["verdict"])
    return Replay(entry, case, rulebook, recorded, replayed, same)


def _entry(records: Records, wanted: str) -> LedgerEntry:
    number = wanted.removeprefix("#")
    if wanted.startswith("#") and number.isdigit():
        entry = find_entry(records, int(number))
        found = entry if entry is not None and entry.kind == VERDICT_RECORD else None
    else:
        found = latest(records, wanted, VERDICT_RECORD)
    if found is None:
        raise InputError(
            f"the ledger holds no verdict on {shown(wanted)}",
            hint="give the id of a case that was reviewed with these records, or #N for record N",
        )
    return found


def _rulebook(records: Records, provenance: Provenance) -> Rulebook:
    files = kept_rulebook(records, provenance.rulebook)
    if files is None:
        raise RecordsError(
            f"the rulebook {provenance.rulebook[:19]}… of this verdict is not in the records",
            hint="the records were edited or restored in part; see: amicus ledger verify",
        )
    rulebook = rulebook_from_files(files)
    if rulebook.id != provenance.rulebook:
        raise RecordsError(
            f"the kept text of the rulebook {provenance.rulebook[:19]}… was changed",
            hint="the records were edited; see: amicus ledger verify",
        )
    return rulebook


def _bytes(verdict: object) -> bytes:
    return json.dumps(verdict, ensure_ascii=False, sort_keys=True).encode()
