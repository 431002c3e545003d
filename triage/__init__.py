"""Work the docket: workers, routing, risk control."""
