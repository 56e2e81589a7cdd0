"""Speed figures; each module is a command."""
