"""What an attacker reaches: every disguise with every injection, on cases of both sides."""
