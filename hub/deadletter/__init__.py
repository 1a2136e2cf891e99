"""Dead letters: their reasons, their records, reading them."""
