"""How calls prove who they are (DSL reference, "Authentication"): one file for each scheme."""
