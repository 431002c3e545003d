"""How the shipped models were made (development dependencies only)."""
