"""All networks beside each other: what they cost, what they reach, and races between them."""
