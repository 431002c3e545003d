"""`python -m evals.settings_table`: put the settings into the README, out of the code."""

from __future__ import annotations

from pathlib import Path

from settings import Settings

BEGIN = "<!-- settings -->"
END = "<!-- end of settings -->"


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    lines = ["| setting | what it does | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = f"`{default}`" if default not in (None, "", (), False) else ""
        if field.default_factory is not None:
            shown = "the platform's data folder"
        lines.append(f"| `AMICUS_{name.upper()}` | {field.description} | {shown} |")
    return "\n".join(lines)


def with_settings(readme: str) -> str:
    """Return the README with the rows between its two marks."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{settings_table()}\n\n{END}{tail}"


def main() -> None:
    """Write the README."""
    path = Path("README.md")
    path.write_text(with_settings(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
