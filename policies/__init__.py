"""The rules: one Markdown file a policy, and the code that reads them."""
