"""What the agent may ask: one file a tool, and the explicit list of them."""
