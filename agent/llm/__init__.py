"""Reviewer models behind an API: OpenAI, Anthropic and any compatible server."""
