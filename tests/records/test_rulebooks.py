from __future__ import annotations

import pytest
from sqlalchemy import update

from errors import RecordsError
from policies.rulebook import Rulebook
from records.rulebooks import keep_rulebook, kept_rulebook
from records.store import Records
from records.tables import rulebooks

FILES = {"hate.md": "## hate.1 …\nNo dehumanising.\0", "spam.md": "## spam.1 Ünïcode"}
ID = Rulebook((), FILES).id


def test_a_kept_rulebook_comes_back_word_for_word(records: Records) -> None:
    keep_rulebook(records, ID, FILES)

    assert kept_rulebook(records, ID) == FILES


def test_keeping_a_rulebook_twice_keeps_it_once(records: Records) -> None:
    keep_rulebook(records, ID, FILES)
    keep_rulebook(records, ID, dict(reversed(FILES.items())))

    assert kept_rulebook(records, ID) == FILES


def test_a_rulebook_that_was_never_kept_is_none(records: Records) -> None:
    assert kept_rulebook(records, ID) is None


def test_a_rulebook_is_not_kept_under_the_identity_of_another(records: Records) -> None:
    with pytest.raises(ValueError, match="not the identity"):
        keep_rulebook(records, ID, {"hate.md": "something else"})

    assert kept_rulebook(records, ID) is None


@pytest.mark.parametrize("files", ['{"hate.md": "softer words"}', "[]", "[1]", "no JSON"])
def test_a_rulebook_that_was_edited_in_the_archive_is_refused(records: Records, files: str) -> None:
    keep_rulebook(records, ID, FILES)
    with records.writing() as connection:
        connection.execute(update(rulebooks).values(files=files))

    with pytest.raises(RecordsError, match="not as it was kept"):
        kept_rulebook(records, ID)
