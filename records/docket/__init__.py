"""The docket: the queue of escalated cases, and the only SQL that touches it."""
