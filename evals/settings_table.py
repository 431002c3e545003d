"""`python -m evals.settings_table`: write docs/settings.md out of the code."""

from __future__ import annotations

from pathlib import Path

from settings import Settings

PAGE = Path("docs/settings.md")
HEAD = """# Settings

Environment variables, or a `.env` file in the folder where you run `amicus`. An option of a command
goes before its setting. `amicus doctor` says what is in force. This page is made from `settings.py`
by `python -m evals.settings_table`.
"""


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    lines = ["| setting | what it does | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = f"`{default}`" if default not in (None, "", (), False) else ""
        if field.default_factory is not None:
            shown = "the platform's data folder"
        variable = field.validation_alias or f"AMICUS_{name.upper()}"
        lines.append(f"| `{variable}` | {field.description} | {shown} |")
    return "\n".join(lines)


def page() -> str:
    """Return the whole page."""
    return f"{HEAD}\n{settings_table()}\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
