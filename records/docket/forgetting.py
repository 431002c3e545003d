"""Forget what was posted in a case that is over; that it was decided, and how, stays."""

from __future__ import annotations

import json

from sqlalchemy import Connection, delete, select, update

from records.tables import docket, docket_cases, docket_opinions

FORGOTTEN = "(forgotten on request)"
_OVER = ("decided", "dead")


def forget_case_in(connection: Connection, case_id: str) -> int:
    """Delete the content and the opinion of a case, in a transaction of `records.writing()`.

    An open case is left as it is: nobody could decide it any more. The same id is still known, so
    that the case cannot come back.

    Returns:
        1 if there was something to forget, otherwise 0.
    """
    its_state = select(docket.c.state).where(docket.c.case_id == case_id).with_for_update()
    if connection.execute(its_state).scalar_one_or_none() not in _OVER:
        return 0
    content = json.dumps({"id": case_id, "text": FORGOTTEN})
    connection.execute(delete(docket_opinions).where(docket_opinions.c.case_id == case_id))
    its_content = (docket_cases.c.case_id == case_id) & (docket_cases.c.content != content)
    emptied = connection.execute(update(docket_cases).where(its_content).values(content=content))
    return emptied.rowcount
