"""One value of a network taken apart: what it sees, and the arithmetic that made it."""
