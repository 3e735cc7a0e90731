"""How figures look in this project, and those that several parts of it draw."""
