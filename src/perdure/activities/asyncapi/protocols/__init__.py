"""One file per protocol; `contract` is what they have in common, `table` which there are."""
