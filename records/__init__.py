"""What has happened: accounts, decisions, precedents, links, the ledger; the only home of SQL."""
